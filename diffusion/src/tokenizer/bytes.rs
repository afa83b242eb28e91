//! Bytes as printable characters, as GPT-2's and CLIP's vocabularies spell them.
//!
//! Printable Latin-1 bytes stand for themselves, the others for characters from
//! U+0100 on. Source: <https://github.com/openai/CLIP/blob/main/clip/simple_tokenizer.py>,
//! `bytes_to_unicode`.

/// The 256 byte values in the order of the vocabulary, each with its character.
pub fn table() -> Vec<(u8, char)> {
    let printable = |b: &u8| matches!(b, b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF);
    let mut table: Vec<_> = (0..=255).filter(printable).map(|b| (b, char::from(b))).collect();
    let others = (0..=255).filter(|b| !printable(b));
    let stand_ins = (0x100..).filter_map(char::from_u32);
    table.extend(others.zip(stand_ins));
    table
}

/// The character of each byte value.
pub fn characters() -> [char; 256] {
    let mut characters = ['\0'; 256];
    for (byte, character) in table() {
        characters[usize::from(byte)] = character;
    }
    characters
}

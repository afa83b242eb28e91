//! Token ids of every text, with both paddings.

use likeness_diffusion::tokenizer::{Pad, Tokenizer};

use super::golden::Case;

pub fn check(case: &mut Case) {
    let texts: Vec<String> =
        serde_json::from_value(case.meta["texts"].clone()).expect("texts are strings");
    let whole: Vec<Vec<u32>> =
        serde_json::from_value(case.meta["ids_no_truncation"].clone()).expect("ids are numbers");
    let tokenizer = Tokenizer::open(&case.folder.join("tokenizer")).expect("a CLIP tokenizer");
    for (text, want) in texts.iter().zip(whole) {
        let mut got = vec![tokenizer.start()];
        got.extend(tokenizer.encode(text));
        got.push(tokenizer.end());
        case.equal(&format!("ids of {text:?}"), got, want);
    }
    let windows = |t: &Tokenizer| texts.iter().map(|text| t.window(text)).collect::<Vec<_>>();
    let want = case.id_rows("input_ids_77");
    case.equal("windows", windows(&tokenizer), want.clone());
    case.equal("windows of the built-in vocabulary", windows(&Tokenizer::builtin(Pad::End)), want);
    let want = case.id_rows("input_ids_77_pad_zero");
    case.equal("windows padded with zero", windows(&Tokenizer::builtin(Pad::Zero)), want);
    case.note("token ids, exact", 0.0);
}

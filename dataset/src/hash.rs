//! Names bytes by their sha256.

use sha2::{Digest, Sha256};

/// The sha256 of `bytes`, in hex.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// The sha256 over several texts, in hex; each is preceded by its length, so
/// that no two lists give the same bytes.
pub(crate) fn sha256_of_all<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    hex(&hasher.finalize())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_digest_of_abc() {
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256_hex(b"abc"), expected); // FIPS 180-2, appendix B.1
    }

    #[test]
    fn where_a_list_is_split_matters() {
        assert_ne!(sha256_of_all(["ab", "c"]), sha256_of_all(["a", "bc"]));
    }
}

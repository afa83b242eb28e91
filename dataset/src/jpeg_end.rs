//! Tells whether a JPEG was cut off, and in how many scans it is stored.
//!
//! Decoders fill a missing rest with grey and say nothing, so the file itself
//! is walked: markers with their lengths up to a scan, the scan's bytes up to
//! the next marker, until the end-of-image marker. Source: ITU-T T.81, annex B.

const START_OF_SCAN: u8 = 0xda;
const END_OF_IMAGE: u8 = 0xd9;

/// How many scans `bytes`, which begin like a JPEG, have up to their
/// end-of-image marker; `None` if they don't reach it.
pub(crate) fn scans(bytes: &[u8]) -> Option<usize> {
    let mut scans = 0;
    let mut at = 2; // after the start-of-image marker
    while let Some(marker) = marker_at(bytes, &mut at) {
        match marker {
            END_OF_IMAGE => return Some(scans),
            0x01 | 0xd0..=0xd8 => {} // markers that stand alone
            _ => {
                let &[high, low] = bytes.get(at..at + 2)? else {
                    return None;
                };
                at += usize::from(u16::from_be_bytes([high, low]));
                if marker == START_OF_SCAN {
                    scans += 1;
                    at = end_of_scan(bytes, at);
                }
            }
        }
    }
    None
}

/// The marker at or after `at`, which moves behind it.
fn marker_at(bytes: &[u8], at: &mut usize) -> Option<u8> {
    while *bytes.get(*at)? != 0xff {
        *at += 1;
    }
    while *bytes.get(*at)? == 0xff {
        *at += 1;
    }
    *at += 1;
    bytes.get(*at - 1).copied()
}

/// Where the next marker begins: in a scan `ff 00` is a plain `ff`, and
/// restart markers belong to it.
fn end_of_scan(bytes: &[u8], from: usize) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    let end = rest.windows(2).position(|pair| {
        pair[0] == 0xff && pair[1] != 0 && pair[1] != 0xff && !(0xd0..=0xd7).contains(&pair[1])
    });
    end.map_or(bytes.len(), |offset| from + offset)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{jpeg, texture};

    #[test]
    fn a_whole_jpeg_is_complete_and_every_cut_is_seen() {
        let bytes = jpeg(&texture(64, 48, 1));
        assert_eq!(scans(&bytes), Some(1));
        for length in (2..bytes.len() - 1).step_by(7) {
            assert_eq!(scans(&bytes[..length]), None, "cut at {length}");
        }
    }

    #[test]
    fn bytes_after_the_end_do_no_harm() {
        let mut bytes = jpeg(&texture(16, 16, 1));
        bytes.extend_from_slice(b"a phone's appendix");
        assert_eq!(scans(&bytes), Some(1));
    }
}

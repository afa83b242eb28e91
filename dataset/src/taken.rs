//! When a photo was taken, as its EXIF block says.
//!
//! A TIFF file in small: directories of entries of 12 bytes (tag, type, count, value or where it
//! lies). `DateTimeOriginal` and `SubSecTimeOriginal` stand in the EXIF directory, to which the
//! first one points. Source: CIPA DC-008 (EXIF 2.3), sections 4.6.2, 4.6.3 and 4.6.5.

const EXIF_DIRECTORY: u16 = 0x8769;
const TAKEN: u16 = 0x9003;
const TAKEN_FRACTION: u16 = 0x9291;
const MOST_ENTRIES: usize = 512; // of a directory; cameras write some 50

/// Seconds since 1 January 1970 by the camera's clock, whatever its zone; `None` where `exif`, the
/// block without its "Exif" header, does not tell.
pub(crate) fn seconds(exif: &[u8]) -> Option<f64> {
    let block = Block::of(exif)?;
    let directory = block.entry(block.long(4)? as usize, EXIF_DIRECTORY)?;
    let directory = block.long(directory + 8)? as usize;
    let seconds = moment(block.text(block.entry(directory, TAKEN)?)?)?;
    let fraction = block.entry(directory, TAKEN_FRACTION).and_then(|at| block.text(at));
    Some(seconds + fraction.and_then(part).unwrap_or(0.0))
}

/// An EXIF block and its byte order.
struct Block<'a> {
    bytes: &'a [u8],
    little: bool,
}

impl<'a> Block<'a> {
    fn of(exif: &'a [u8]) -> Option<Self> {
        let bytes = exif.strip_prefix(b"Exif\0\0").unwrap_or(exif);
        let little = match bytes.get(..2)? {
            b"II" => true,
            b"MM" => false,
            _ => return None,
        };
        Some(Self { bytes, little })
    }

    fn short(&self, at: usize) -> Option<u16> {
        let bytes = self.bytes.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(if self.little { u16::from_le_bytes(bytes) } else { u16::from_be_bytes(bytes) })
    }

    fn long(&self, at: usize) -> Option<u32> {
        let bytes = self.bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
        Some(if self.little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) })
    }

    /// Where the entry of `tag` in the directory at `start` is.
    fn entry(&self, start: usize, tag: u16) -> Option<usize> {
        let count = usize::from(self.short(start)?).min(MOST_ENTRIES);
        let mut places = (0..count).map(|number| start + 2 + 12 * number);
        places.find(|at| self.short(*at) == Some(tag))
    }

    /// The text of the entry at `at`; up to four bytes stand in the entry itself.
    fn text(&self, at: usize) -> Option<&'a str> {
        let length = self.long(at + 4)? as usize;
        let start = if length <= 4 { at + 8 } else { self.long(at + 8)? as usize };
        let bytes = self.bytes.get(start..start.checked_add(length)?)?;
        std::str::from_utf8(bytes).ok().map(|text| text.trim_end_matches('\0').trim())
    }
}

/// "2024:05:31 18:04:09" in seconds since 1970.
fn moment(text: &str) -> Option<f64> {
    let numbers: Vec<i64> =
        text.split([':', ' ']).map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let [year, month, day, hour, minute, second] = numbers[..] else {
        return None;
    };
    let possible = (1900..3000).contains(&year)
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && (0..24).contains(&hour)
        && (0..60).contains(&minute)
        && (0..=60).contains(&second);
    let seconds = days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
    possible.then_some(seconds as f64)
}

/// Days from 1 January 1970 to a day of the Gregorian calendar. Years begin in March here, so that
/// the leap day is the last one.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year / 4 - year / 100 + year / 400;
    365 * year + leap_days + (153 * month + 2) / 5 + day - 1 - 719_468
}

/// The digits after the point.
fn part(digits: &str) -> Option<f64> {
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| format!("0.{digits}").parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::exif_taken;

    #[test]
    fn the_moment_of_a_photo_is_read_to_its_fraction() {
        let read = seconds(&exif_taken("2024:05:31 18:04:09", "25"));
        assert_eq!(read, Some(1_717_178_649.25));
        assert_eq!(moment("1970:01:01 00:00:00"), Some(0.0));
        assert_eq!(moment("2000:03:01 00:00:00"), Some(951_868_800.0));
    }

    #[test]
    fn what_is_broken_tells_nothing() {
        let whole = exif_taken("2024:05:31 18:04:09", "25");
        for length in 0..whole.len() {
            let _ = seconds(&whole[..length]); // any answer but a panic
        }
        assert_eq!(seconds(&whole[..30]), None);
        for text in ["", "0000:00:00 00:00:00", "2024:13:01 00:00:00", "yesterday"] {
            assert_eq!(moment(text), None, "{text}");
        }
        let pointing_nowhere: Vec<u8> = whole.iter().map(|byte| byte | 0x80).collect();
        assert_eq!(seconds(&pointing_nowhere), None);
    }
}

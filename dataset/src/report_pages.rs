//! The report's pages: one for a usual set, and so many for thousands of photos
//! that a browser opens each at once.

use std::fs;
use std::path::Path;

use crate::atomic;
use crate::error::DatasetError;
use crate::record::{ImageRecord, Verdict};
use crate::report::{self, Report};

const PHOTOS_A_PAGE: usize = 200; // about 3 MB

/// Writes `report.html`, `report-2.html` and so on: what to review, what is
/// kept, what is dropped. One photo is in memory at a time.
pub(crate) fn write(dir: &Path, report: &Report) -> Result<(), DatasetError> {
    let order = [Verdict::Review, Verdict::Keep, Verdict::Drop];
    let records: Vec<&ImageRecord> = order
        .iter()
        .flat_map(|verdict| report.summary.records.iter().filter(|r| r.verdict == *verdict))
        .collect();
    let pages = records.len().div_ceil(PHOTOS_A_PAGE).max(1);
    for (index, shown) in records.chunks(PHOTOS_A_PAGE).enumerate() {
        let links = links(index + 1, pages);
        atomic::write_by(&dir.join(file_name(index + 1)), &|out| {
            report::write_page(out, report, shown, &links)
        })?;
    }
    remove_from(dir, pages + 1);
    Ok(())
}

/// Removes the pages from `number` on: they are of a larger set.
fn remove_from(dir: &Path, number: usize) {
    let mut number = number;
    while fs::remove_file(dir.join(file_name(number))).is_ok() {
        number += 1;
    }
}

fn file_name(number: usize) -> String {
    match number {
        1 => "report.html".into(),
        _ => format!("report-{number}.html"),
    }
}

fn links(current: usize, pages: usize) -> String {
    if pages == 1 {
        return String::new();
    }
    let link = |number: usize| match number == current {
        true => format!(" <b>{number}</b>"),
        false => format!(" <a href=\"{}\">{number}</a>", file_name(number)),
    };
    let links: String = (1..=pages).map(link).collect();
    format!("<nav>Pages of {PHOTOS_A_PAGE} photos:{links}</nav>\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_lead_to_each_other_and_a_single_one_to_none() {
        assert_eq!(links(1, 1), "");
        let second = links(2, 3);
        assert!(second.contains("<a href=\"report.html\">1</a> <b>2</b>"), "{second}");
        assert!(second.contains("<a href=\"report-3.html\">3</a>"));
    }

    #[test]
    fn pages_of_a_larger_set_are_removed() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        for number in [1, 2, 3, 4] {
            fs::write(dir.path().join(file_name(number)), b"").expect("a page");
        }
        remove_from(dir.path(), 2);
        assert_eq!(fs::read_dir(dir.path()).expect("a folder").count(), 1);
    }
}

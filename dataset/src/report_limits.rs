//! The part of a report that lists every limit: what is measured, beyond what a person should look
//! or a photo is dropped, and where that comes from.

use crate::limit::Limit;
use crate::limits;
use crate::report::{escaped, number};

/// All limits as a table that opens on request.
pub(crate) fn table() -> String {
    let rows: String = limits::ALL.iter().map(|limit| row(limit)).collect();
    format!(
        "<details><summary>All limits</summary><table><tr><th>measure</th><th>range</th>\
         <th class=\"number\">review</th><th class=\"number\">drop</th><th>rule</th>\
         <th>what it says</th><th>where the limit comes from</th></tr>{rows}</table>\
         <p>A doubling of light is one of the stored values: about 2.2 stops of a camera.</p></details>\n"
    )
}

fn row(limit: &Limit) -> String {
    let side = if limit.more_is_worse { "above" } else { "below" };
    let end = |end: Option<f64>| end.map_or(String::new(), |e| format!("{side} {}", number(e)));
    let unit = if limit.unit.is_empty() { String::new() } else { format!(", {}", limit.unit) };
    let cells = [
        limit.measure.replace('_', " "),
        format!("{}{unit}", limit.range),
        end(limit.review),
        end(limit.drop),
        limit.rule.into(),
        limit.says.into(),
        limit.source.into(),
    ];
    let cells: String = cells.iter().map(|cell| format!("<td>{}</td>", escaped(cell))).collect();
    format!("<tr>{cells}</tr>")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_has_a_row_with_its_numbers_and_source() {
        let table = table();
        assert_eq!(table.matches("<tr>").count(), limits::ALL.len() + 1);
        let yaw = row(&limits::YAW);
        assert!(yaw.contains("above 68") && yaw.contains("degrees"), "{yaw}");
        assert!(yaw.contains(&escaped(limits::YAW.source)), "{yaw}");
    }
}

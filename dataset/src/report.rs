//! A page of the report: what was kept and dropped, and why, in one file that
//! needs nothing else.

use std::io::{self, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::character::Character;
use crate::measures::{Measure, MeasureKind};
use crate::plan::PhotoPlan;
use crate::progress::Summary;
use crate::record::{ImageRecord, Reason, Verdict};
use crate::report_limits;
use crate::set::coverage::{AxisCoverage, ClassCoverage, Coverage};

const STYLE: &str = include_str!("report.css");
const FOLDED: usize = 3; // doubts of a dropped photo from which they are shown on request

/// What a report is made of.
pub(crate) struct Report<'a> {
    pub character: &'a Character,
    pub summary: &'a Summary,
    /// Reads the thumbnail, a JPEG, of the photo of a sha256.
    pub thumbnail: &'a dyn Fn(&str) -> Option<Vec<u8>>,
    /// Reads the caption of a record.
    pub caption: &'a dyn Fn(&ImageRecord) -> Option<String>,
}

/// Writes the page that shows `records` of a report; `pages` leads to the others.
pub(crate) fn write_page(
    out: &mut dyn Write,
    report: &Report,
    records: &[&ImageRecord],
    pages: &str,
) -> io::Result<()> {
    let Report { character, summary, .. } = report;
    let title = escaped(&format!("{} ({})", character.trigger, character.class_word));
    let folder = escaped(&character.photos.display().to_string());
    let Summary { kept, review, dropped, .. } = summary;
    write!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}: curation</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <header><h1>{title}</h1><p>Photos of {folder}, buckets of about {resolution} x {resolution} px</p>\n\
         <div class=\"counts\"><div><b class=\"good\">{kept}</b>kept</div>\
         <div><b class=\"doubt\">{review}</b>of them to review</div>\
         <div><b class=\"bad\">{dropped}</b>dropped</div></div></header>\n{pages}{hints}{shows}",
        resolution = character.resolution,
        hints = hints(summary) + &plan(summary),
        shows = shows(&summary.coverage),
    )?;
    let mut section = |title: &str, count: usize, verdict: Verdict| {
        let shown: Vec<_> = records.iter().filter(|record| record.verdict == verdict).collect();
        match (count, shown.is_empty()) {
            (0, _) => return writeln!(out, "<h2>{title} <span>none</span></h2>"),
            (_, true) => return Ok(()), // they are on other pages
            _ => {}
        }
        writeln!(out, "<h2>{title} <span>{count}</span></h2>\n<div class=\"grid\">")?;
        for record in shown {
            out.write_all(card(record, report).as_bytes())?;
        }
        writeln!(out, "</div>")
    };
    if *review > 0 {
        section("Review", *review, Verdict::Review)?;
    }
    section("Kept", kept - review, Verdict::Keep)?;
    section("Dropped", *dropped, Verdict::Drop)?;
    write!(
        out,
        "<p class=\"faint\">White frame: what is trained on. Green box: the main face; dashed: other faces. \
         To override it run <code>likeness curate review</code>, or add a line such as <code>{{\"sha256\":\"…\",\"verdict\":\"keep\",\"reason\":\"…\"}}</code> to decisions.jsonl; the photo's sha256 is in its measures.</p>\n{limits}{pages}\
         </body>\n</html>\n",
        limits = report_limits::table(),
    )
}

fn hints(summary: &Summary) -> String {
    let unmeasured = summary.unmeasured.iter().map(|text| format!("Not measured: {text}"));
    let items: String = unmeasured
        .chain(summary.advice.iter().cloned())
        .chain(summary.coverage.missing.iter().map(|missing| missing.text.clone()))
        .map(|text| format!("<li>{}</li>", escaped(&text)))
        .collect();
    if items.is_empty() { items } else { format!("<ul class=\"hints\">{items}</ul>\n") }
}

/// The buckets, with what is cut away and how much is made smaller.
fn plan(summary: &Summary) -> String {
    let items: String =
        summary.plan.iter().map(|plan| format!("<li>{}</li>", plan.in_words())).collect();
    match items.as_str() {
        "" => items,
        _ => format!("<details><summary>What is trained on</summary><ul>{items}</ul></details>\n"),
    }
}

/// How many kept photos show what.
fn shows(coverage: &Coverage) -> String {
    let row = |axis: &AxisCoverage| {
        let class = |class: &ClassCoverage| format!("{} {}", class.photos, escaped(&class.class));
        let classes: Vec<String> = axis.classes.iter().map(class).collect();
        format!("<tr><td>{}</td><td>{}</td></tr>", axis.axis, classes.join(", "))
    };
    let rows: String = coverage.axes.iter().map(row).collect();
    match rows.as_str() {
        "" => rows,
        _ => format!(
            "<details class=\"shows\"><summary>What the kept photos show</summary><table>{rows}</table></details>\n"
        ),
    }
}

fn card(record: &ImageRecord, report: &Report) -> String {
    let size = match record.bucket {
        Some(_) if !record.is_kept() => format!("{} x {} px", record.width, record.height),
        Some(bucket) => format!(
            "{} x {} px, trained at {} x {}{}",
            record.width,
            record.height,
            bucket.width,
            bucket.height,
            PhotoPlan::of(record).map_or(String::new(), |plan| format!(": {}", plan.in_words()))
        ),
        None => "not readable".into(),
    };
    format!(
        "<article>{picture}<div class=\"text\"><h3>{name}</h3><p class=\"faint\">{size}{weight}</p>{caption}{reasons}{notes}\
         <details><summary>Measures</summary>{table}</details></div></article>\n",
        picture = picture(record, (report.thumbnail)(&record.sha256)),
        name = escaped(&record.path),
        weight = match record.weight {
            1.0 => String::new(),
            weight => format!(", {weight} times as often"),
        },
        caption = (report.caption)(record)
            .filter(|_| record.is_kept())
            .map(|text| format!("<p class=\"caption\">{}</p>", escaped(text.trim())))
            .unwrap_or_default(),
        reasons = list(&record.reasons, class_of(record.verdict)),
        notes = notes(record),
        table = table(record),
    )
}

/// What is worth knowing beside the reasons; of a dropped photo, whose reasons are enough, on request.
fn notes(record: &ImageRecord) -> String {
    let list = list(&record.notes, "note");
    match record.notes.len() {
        more @ FOLDED.. if !record.is_kept() => {
            format!("<details><summary>{more} more doubts</summary>{list}</details>")
        }
        _ => list,
    }
}

fn class_of(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Keep => "good",
        Verdict::Review => "doubt",
        Verdict::Drop => "bad",
    }
}

/// The thumbnail with the crop and the faces drawn in the photo's own pixels.
fn picture(record: &ImageRecord, thumbnail: Option<Vec<u8>>) -> String {
    let Some(thumbnail) = thumbnail else {
        return "<figure><span class=\"faint\">no picture</span></figure>".into();
    };
    let (width, height) = (record.width, record.height);
    let crop = record.crop.map(|crop| {
        let (x, y, w, h) = (crop.x, crop.y, crop.width, crop.height);
        format!(
            "<path d=\"M0 0H{width}V{height}H0ZM{x} {y}h{w}v{h}h-{w}Z\"/>\
             <rect class=\"crop\" x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\"/>"
        )
    });
    let faces: String = record
        .faces
        .iter()
        .enumerate()
        .map(|(index, face)| {
            let [x, y, w, h] = face.bbox;
            let class = if index == 0 { "face" } else { "face other" };
            format!(
                "<rect class=\"{class}\" x=\"{x:.0}\" y=\"{y:.0}\" width=\"{w:.0}\" height=\"{h:.0}\"/>"
            )
        })
        .collect();
    format!(
        "<figure><div><img alt=\"{name}\" src=\"data:image/jpeg;base64,{data}\">\
         <svg viewBox=\"0 0 {width} {height}\" preserveAspectRatio=\"none\">{crop}{faces}</svg></div></figure>",
        name = escaped(&record.path),
        data = STANDARD.encode(&thumbnail),
        crop = crop.unwrap_or_default(),
    )
}

fn list(reasons: &[Reason], class: &str) -> String {
    if reasons.is_empty() {
        return String::new();
    }
    let items: String =
        reasons.iter().map(|reason| format!("<li>{}</li>", escaped(&reason.message))).collect();
    format!("<ul class=\"{class}\">{items}</ul>")
}

fn table(record: &ImageRecord) -> String {
    let rows: String = record.measures.iter().map(row).collect();
    format!(
        "<table><tr><th>measure</th><th class=\"number\">value</th><th class=\"number\">limits</th></tr>{rows}\
         <tr><td colspan=\"3\" style=\"overflow-wrap:anywhere\">sha256 {}</td></tr></table>",
        escaped(&record.sha256)
    )
}

fn row(measure: &Measure) -> String {
    let Measure { kind, value } = measure;
    let MeasureKind { name, unit, lowest, highest } = &**kind;
    let outside =
        lowest.is_some_and(|low| *value < low) || highest.is_some_and(|high| *value > high);
    let limits = match (lowest, highest) {
        (Some(low), Some(high)) => format!("{} to {}", number(*low), number(*high)),
        (Some(low), None) => format!("at least {}", number(*low)),
        (None, Some(high)) => format!("at most {}", number(*high)),
        (None, None) => String::new(),
    };
    format!(
        "<tr{class}><td>{name}</td><td class=\"number\">{value} {unit}</td><td class=\"number\">{limits}</td></tr>",
        class = if outside { " class=\"bad\"" } else { "" },
        name = escaped(&name.replace('_', " ")),
        value = number(*value),
        unit = escaped(if unit == "count" { "" } else { unit }),
    )
}

/// Whole numbers as they are, others with four decimals.
pub(crate) fn number(value: f64) -> String {
    if value.fract() == 0.0 { format!("{value}") } else { format!("{value:.4}") }
}

/// Text that is safe between tags and in quoted attributes.
pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn whatever_comes_from_outside_is_escaped() {
        let nasty = "<script>alert('\"&')</script>";
        let shown = escaped(nasty);
        assert_eq!(shown, "&lt;script&gt;alert(&#39;&quot;&amp;&#39;)&lt;/script&gt;");
    }

    #[test]
    fn numbers_are_short() {
        assert_eq!((number(512.0), number(0.123456)), ("512".into(), "0.1235".into()));
    }

    #[test]
    fn many_doubts_of_a_dropped_photo_open_on_request() {
        let mut record = crate::captions::testing::record("a.jpg");
        record.notes = vec![Reason::plain("dark", "it is dark"); FOLDED];
        assert!(!notes(&record).contains("<details>"));
        record.verdict = Verdict::Drop;
        assert!(notes(&record).contains("3 more doubts</summary><ul class=\"note\">"));
        record.notes.pop();
        assert!(!notes(&record).contains("<details>"));
    }

    #[test]
    fn a_value_outside_its_limits_is_marked() {
        let kind = MeasureKind {
            name: "short_side".into(),
            unit: "px".into(),
            lowest: Some(512.0),
            highest: None,
        };
        let measure = |value| Measure { kind: Arc::new(kind.clone()), value };
        assert!(row(&measure(100.0)).contains("class=\"bad\""));
        assert!(!row(&measure(600.0)).contains("class=\"bad\""));
    }
}

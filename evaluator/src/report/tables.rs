//! The tables: key numbers, scenes, settings and what was left open.

use std::fmt::Write;

use super::html::{escape, number};
use crate::bootstrap::Interval;
use crate::painter::Arm;
use crate::scores::Scores;

/// Floor, ceiling, adapter and the difference, with their intervals.
pub(super) fn key_numbers(scores: &Scores) -> String {
    let mut html =
        "<table><thead><tr><th></th><th>mean NIS</th><th>95 % interval</th><th>mean cosine</th>\
                    <th>faces found</th></tr></thead><tbody>"
            .to_owned();
    if let Some(identity) = &scores.identity {
        let label = format!("references (ceiling, {} photos)", identity.scale.references);
        row(
            &mut html,
            &[label, "1".into(), "–".into(), number(Some(identity.scale.ceiling)), "–".into()],
        );
    }
    for (arm, label) in [
        (Arm::Adapter, "adapter"),
        (Arm::Class, "adapter, class word without trigger"),
        (Arm::Base, "bare base (floor)"),
    ] {
        let Some(arm) = scores.arm(arm) else { continue };
        let faces =
            arm.faces.map_or("–".to_owned(), |faces| format!("{faces} of {}", arm.images));
        let faces = match &arm.face_rate {
            Some(rate) => format!("{faces} {}", brackets(Some(rate))),
            None => faces,
        };
        let mean = number(arm.nis.map(|nis| nis.mean));
        let (interval, cosine) = (brackets(arm.nis.as_ref()), number(arm.cosine));
        row(&mut html, &[label.to_owned(), mean, interval, cosine, faces]);
    }
    if let Some(identity) = &scores.identity {
        let difference = &identity.difference;
        let cells = [number(Some(difference.mean)), brackets(Some(difference))];
        let label = "adapter − base, paired".to_owned();
        let [mean, interval] = cells;
        row(
            &mut html,
            &[label, mean, interval, format!("<b>{}</b>", identity.verdict), "–".into()],
        );
    }
    if let Some(leak) = &scores.leak {
        let difference = &leak.difference;
        let label = "leak: class word − base, paired".to_owned();
        let [mean, interval] = [number(Some(difference.mean)), brackets(Some(difference))];
        row(&mut html, &[label, mean, interval, "–".into(), "–".into()]);
    }
    html + "</tbody></table>"
}

/// Whether pictures show what their prompts ask for; nothing without a reader.
pub(super) fn readings(scores: &Scores) -> String {
    if scores.readings.is_empty() {
        return String::new();
    }
    let mut html =
        "<section><h2>Fidelity to the prompt</h2><p class=\"hint\">The share of pictures in which this \
         base's own reader sees what the prompt asks for.</p><table><thead><tr><th></th><th>prompts</th>\
         <th>bare base</th><th>95 % interval</th><th>adapter</th><th>95 % interval</th></tr></thead><tbody>"
            .to_owned();
    for reading in &scores.readings {
        let cells = [
            escape(&reading.axis),
            reading.prompts.to_string(),
            number(Some(reading.base.mean)),
            brackets(Some(&reading.base)),
            meter(Some(reading.adapter.mean)),
            brackets(Some(&reading.adapter)),
        ];
        row(&mut html, &cells);
    }
    html + "</tbody></table></section>"
}

/// One line a scene.
pub(super) fn by_prompt(scores: &Scores) -> String {
    let mut html =
        "<table><thead><tr><th>scene</th><th>base NIS</th><th>adapter NIS</th><th>difference</th>\
                    <th>base faces</th><th>adapter faces</th></tr></thead><tbody>"
            .to_owned();
    let seeds = scores.recipe.seeds_per_prompt;
    for prompt in &scores.prompts {
        let difference =
            prompt.adapter_nis.zip(prompt.base_nis).map(|(adapter, base)| adapter - base);
        let faces =
            |found: Option<usize>| found.map_or("–".to_owned(), |n| format!("{n} of {seeds}"));
        row(
            &mut html,
            &[
                escape(&prompt.name),
                number(prompt.base_nis),
                meter(prompt.adapter_nis),
                number(difference),
                faces(prompt.base_faces),
                faces(prompt.adapter_faces),
            ],
        );
    }
    html + "</tbody></table>"
}

/// What was painted, how, and with which files.
pub(super) fn settings(scores: &Scores) -> String {
    let recipe = &scores.recipe;
    let mut html = "<table class=\"settings\"><tbody>".to_owned();
    let mut line = |name: &str, value: &str| row(&mut html, &[escape(name), escape(value)]);
    line("trigger", &recipe.trigger);
    line("class word", &recipe.class_word);
    let suite = &recipe.suite;
    let size = format!(
        "{} ({} scenes × {} seeds)",
        suite.name,
        suite.prompts.len(),
        recipe.seeds_per_prompt
    );
    line("suite", &size);
    line("run seed", &recipe.seed.to_string());
    line("negative prompt", &suite.negative);
    for (name, value) in &recipe.settings {
        line(name, &value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    }
    line("adapter sha256", &recipe.adapter_hash);
    line("base sha256", &recipe.base_hash);
    line("face encoder", scores.encoder.as_deref().unwrap_or("none"));
    line("plan sha256", &scores.plan_hash);
    line("gate: lower end of the mean NIS", &number(Some(scores.thresholds.min_nis)));
    line("gate: face rate", &number(Some(scores.thresholds.min_face_rate)));
    line("gate: most leak", &number(Some(scores.thresholds.max_leak)));
    line("least distance of floor and ceiling", &number(Some(scores.thresholds.min_separation)));
    line("made", &format!("{} by {}", scores.generated_at, scores.tool));
    html + "</tbody></table>"
}

/// `title` and one list entry a sentence; nothing where there is none.
pub(super) fn sentences(title: &str, class: &str, sentences: &[String]) -> String {
    if sentences.is_empty() {
        return String::new();
    }
    let mut html = format!("<section class=\"{class}\"><h2>{title}</h2><ul>");
    for sentence in sentences {
        let _ = write!(html, "<li>{}</li>", escape(sentence));
    }
    html + "</ul></section>"
}

/// `[low, high]`, or a dash.
pub(super) fn brackets(interval: Option<&Interval>) -> String {
    interval.map_or("–".to_owned(), |interval| {
        format!("[{}, {}]", number(Some(interval.low)), number(Some(interval.high)))
    })
}

/// A number with a bar behind it, full at 1.
fn meter(nis: Option<f64>) -> String {
    let Some(value) = nis else {
        return number(None);
    };
    let percent = (value * 100.0).clamp(0.0, 100.0);
    format!("<span class=\"meter\"><i style=\"width:{percent:.0}%\"></i></span>{}", number(nis))
}

/// A row of cells that are HTML already.
fn row(html: &mut String, cells: &[String]) {
    html.push_str("<tr>");
    for cell in cells {
        let _ = write!(html, "<td>{cell}</td>");
    }
    html.push_str("</tr>");
}

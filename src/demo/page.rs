//! `index.html`: the whole demo as one page, with the pictures beside it.

use std::fmt::Write;

use likeness_dataset::{ImageRecord, Verdict};
use likeness_evaluator::{Arm, Scores};
use likeness_trainer::steps_log::StepRecord;

use super::photos::{Kind, Photo};

const STYLE: &str = include_str!("page.css");
/// Of the curve, in its own units.
const CURVE: (f64, f64) = (760.0, 220.0);

/// What the page shows.
pub struct Shown<'a> {
    /// The photos as they were meant.
    pub photos: &'a [Photo],
    /// As curation saw them.
    pub records: &'a [ImageRecord],
    /// The training's log.
    pub steps: &'a [StepRecord],
    /// The evaluation.
    pub scores: &'a Scores,
    /// What prompts call the character.
    pub subject: &'a str,
    /// Of the LoRA in its pictures.
    pub strength: &'a str,
    /// The command lines that made it.
    pub commands: &'a [String],
}

impl Shown<'_> {
    /// The page.
    pub fn page(&self) -> String {
        let parts = [self.head(), self.photos(), self.curve(), self.scenes(), self.next()];
        format!(
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
             content=\"width=device-width, initial-scale=1\"><title>likeness demo</title><style>{STYLE}</style>\
             </head><body><main>\n{}\n</main></body></html>\n",
            parts.join("\n")
        )
    }

    fn head(&self) -> String {
        let gate = &self.scores.gate;
        let of = |arm: Arm| {
            let nis = self.scores.arm(arm).and_then(|arm| arm.nis);
            nis.map_or("not measured".to_owned(), |nis| nis.to_string())
        };
        format!(
            "<header><p class=\"over\">likeness demo</p><h1>Identity {}</h1><p>On scenes without photos; \
             the bare base: {}. 0 is a random character of this base, 1 as alike as the photos are to each \
             other.</p><p>The gate that every LoRA meets before it is handed on says <b>{}</b>: {}. It asks \
             as much of this small base, whose faces have a few dozen pixels, as of yours.</p></header>",
            of(Arm::Adapter),
            of(Arm::Base),
            gate.outcome,
            escape(&gate.reason)
        )
    }

    fn photos(&self) -> String {
        let kept = self.records.iter().filter(|r| r.is_kept()).count();
        let mut html = format!(
            "<section><h2>1. Curate: {kept} of {} photos kept</h2><div class=\"photos\">",
            self.records.len()
        );
        for record in self.records {
            let (class, why) = match record.verdict {
                Verdict::Keep => ("keep", "kept".to_owned()),
                verdict => {
                    let said: Vec<&str> =
                        record.reasons.iter().map(|reason| reason.message.as_str()).collect();
                    (verdict.name(), said.join("; "))
                }
            };
            let meant = self.photos.iter().find(|photo| photo.name == record.path);
            let meant = meant.map_or(String::new(), |photo| match &photo.kind {
                Kind::Good => "a good photo".to_owned(),
                Kind::Flawed(flaw) => flaw.clone(),
                Kind::Duplicate(of) => format!("copy of {of}"),
            });
            let _ = write!(
                html,
                "<figure class=\"{class}\"><img loading=\"lazy\" alt=\"{meant}\" src=\"photos/{}\">\
                 <figcaption><b>{}</b><span class=\"dim\">made as: {meant}</span></figcaption></figure>",
                escape(&record.path),
                escape(&why)
            );
        }
        html + "</div><p><a href=\"mika.dataset/report.html\">the report of the curation</a></p></section>"
    }

    /// The loss, as it was and smoothed.
    fn curve(&self) -> String {
        let (width, height) = CURVE;
        let Some(last) = self.steps.last() else {
            return String::new();
        };
        let most = self.steps.iter().map(|step| f64::from(step.loss)).fold(1e-9, f64::max);
        let place = |step: usize, loss: f64| {
            let x = 50.0 + (width - 60.0) * step as f64 / last.step as f64;
            format!("{x:.1},{:.1}", 10.0 + (height - 40.0) * (1.0 - loss / most))
        };
        let raw: Vec<_> =
            self.steps.iter().map(|step| place(step.step, f64::from(step.loss))).collect();
        let mut mean = f64::from(self.steps[0].loss);
        let smooth = self.steps.iter().map(|step| {
            mean += 0.15 * (f64::from(step.loss) - mean);
            place(step.step, mean)
        });
        let smooth: Vec<_> = smooth.collect();
        let label = |y: f64, text: String| {
            format!("<text x=\"44\" y=\"{y:.0}\" text-anchor=\"end\">{text}</text>")
        };
        format!(
            "<section><h2>2. Train: {} steps</h2><svg viewBox=\"0 0 {width} {height}\" role=\"img\" \
             aria-label=\"loss by step\"><polyline class=\"raw\" points=\"{}\"/><polyline class=\"smooth\" \
             points=\"{}\"/>{}{}<text x=\"50\" y=\"{:.0}\">loss by step, and its running mean</text>\
             <text x=\"{:.0}\" y=\"{:.0}\" text-anchor=\"end\">step {}</text></svg></section>",
            last.step,
            raw.join(" "),
            smooth.join(" "),
            label(16.0, format!("{most:.2}")),
            label(height - 28.0, "0".to_owned()),
            height - 6.0,
            width - 10.0,
            height - 6.0,
            last.step
        )
    }

    fn scenes(&self) -> String {
        let mut html = format!(
            "<section><h2>3. Evaluate: scenes without photos</h2><p class=\"dim\">Each pair starts from the same \
             noise: left the bare base, right with the LoRA at strength {}.</p><div class=\"scenes\">",
            self.strength
        );
        for prompt in &self.scores.prompts {
            let text = escape(&prompt.text.replace("{subject}", self.subject));
            let _ = write!(html, "<article><p>{text}</p><div class=\"pair\">");
            let own =
                self.scores.images.iter().filter(|i| i.prompt == prompt.name && i.replicate == 1);
            for image in own.filter(|image| image.arm != Arm::Class) {
                let score = image.nis.map_or("–".to_owned(), |nis| format!("{nis:.2}"));
                let _ = write!(
                    html,
                    "<figure><img loading=\"lazy\" alt=\"{}\" src=\"run/evaluation/{}\"><figcaption>{score}\
                     </figcaption></figure>",
                    escape(&image.text),
                    image.file
                );
            }
            html.push_str("</div></article>");
        }
        html.push_str("</div><table><tbody>");
        for arm in &self.scores.arms {
            let score = arm.nis.map_or("not measured".to_owned(), |nis| nis.to_string());
            let name = match arm.arm {
                Arm::Base => "bare base",
                Arm::Class => "LoRA, class word without the trigger (leak)",
                Arm::Adapter => "LoRA",
            };
            let _ = write!(html, "<tr><th>{name}</th><td>identity {score}</td></tr>");
        }
        for reading in &self.scores.readings {
            let _ = write!(
                html,
                "<tr><th>{} as asked</th><td>LoRA {}, bare base {}</td></tr>",
                escape(&reading.axis),
                reading.adapter,
                reading.base
            );
        }
        html + "</tbody></table><p><a href=\"run/evaluation/report.html\">the report of the evaluation</a></p></section>"
    }

    fn next(&self) -> String {
        let lines: Vec<String> = self.commands.iter().map(|line| escape(line)).collect();
        format!("<section><h2>What was run</h2><pre>{}</pre></section>", lines.join("\n"))
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

//! The identity score as a drawing: floor, ceiling, all arms, their intervals.
//!
//! One line an arm. Each small dot is an image, the bar the interval of the
//! mean, the large dot the mean. 0 and 1 carry the raw cosines that they are.

use std::fmt::Write;

use super::html::number;
use crate::bootstrap::Interval;
use crate::painter::Arm;
use crate::scores::Scores;

const WIDTH: f64 = 760.0;
const LEFT: f64 = 110.0;
const RIGHT: f64 = 24.0;
const ROWS: [(Arm, &str, f64); 3] = [
    (Arm::Adapter, "adapter", 74.0),
    (Arm::Class, "class word", 134.0),
    (Arm::Base, "bare base", 194.0),
];

/// Maps NIS to a place on the line.
struct Axis {
    low: f64,
    high: f64,
}

impl Axis {
    /// An axis that holds 0, 1 and every value.
    fn over(values: impl Iterator<Item = f64>) -> Self {
        let (low, high) =
            values.fold((-0.2_f64, 1.2_f64), |(l, h), v| (l.min(v - 0.05), h.max(v + 0.05)));
        Self { low, high }
    }

    fn x(&self, nis: f64) -> f64 {
        LEFT + (nis - self.low) / (self.high - self.low) * (WIDTH - LEFT - RIGHT)
    }
}

/// The drawing as SVG; empty where there is no score.
pub(super) fn chart(scores: &Scores) -> String {
    let Some(identity) = &scores.identity else {
        return String::new();
    };
    let axis = Axis::over(scores.images.iter().filter_map(|image| image.nis));
    let mut svg = format!(
        "<svg class=\"chart\" viewBox=\"0 0 {WIDTH} 250\" role=\"img\" aria-label=\"identity scores of \
         all arms with 95 % intervals\">"
    );
    let scale = &identity.scale;
    line(&mut svg, axis.x(0.0), "anchor", "0 · floor", Some(scale.floor));
    line(&mut svg, axis.x(1.0), "anchor", "1 · ceiling", Some(scale.ceiling));
    let threshold = scores.thresholds.min_nis;
    if (0.12..=0.88).contains(&threshold) {
        line(&mut svg, axis.x(threshold), "gate", &format!("gate {threshold:.2}"), None);
    }
    for (arm, label, y) in ROWS {
        let dots =
            scores.images.iter().filter(|image| image.arm == arm).filter_map(|image| image.nis);
        row(&mut svg, &axis, label, y, dots, scores.arm(arm).and_then(|scores| scores.nis));
    }
    svg.push_str("</svg>");
    svg
}

fn line(svg: &mut String, x: f64, class: &str, label: &str, cosine: Option<f64>) {
    let _ = write!(
        svg,
        "<line class=\"{class}\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"32\" y2=\"224\"/>\
         <text class=\"{class}\" x=\"{x:.1}\" y=\"22\" text-anchor=\"middle\">{label}</text>"
    );
    if let Some(cosine) = cosine {
        let cosine = number(Some(cosine));
        let _ = write!(
            svg,
            "<text class=\"small\" x=\"{x:.1}\" y=\"242\" text-anchor=\"middle\">cosine {cosine}</text>"
        );
    }
}

fn row(
    svg: &mut String,
    axis: &Axis,
    label: &str,
    y: f64,
    dots: impl Iterator<Item = f64>,
    mean: Option<Interval>,
) {
    let class = label.split(' ').next_back().unwrap_or_default(); // `adapter`, `word` or `base`
    let _ = write!(svg, "<g class=\"{class}\"><text x=\"0\" y=\"{:.1}\">{label}</text>", y + 5.0);
    for (index, nis) in dots.enumerate() {
        let lane = y + 14.0 + (index % 3) as f64 * 4.0; // so that equal scores stay apart
        let _ = write!(
            svg,
            "<circle class=\"dot\" cx=\"{:.1}\" cy=\"{lane:.1}\" r=\"2.4\"/>",
            axis.x(nis)
        );
    }
    if let Some(Interval { mean, low, high }) = mean {
        let (from, to) = (axis.x(low), axis.x(high));
        let _ = write!(
            svg,
            "<rect class=\"bar\" x=\"{from:.1}\" width=\"{:.1}\" y=\"{:.1}\" height=\"8\" rx=\"4\"/>\
             <circle class=\"mean\" cx=\"{:.1}\" cy=\"{y:.1}\" r=\"6\"/>\
             <text class=\"value\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{} [{}, {}]</text>",
            (to - from).max(1.0),
            y - 4.0,
            axis.x(mean),
            axis.x(mean).clamp(LEFT + 60.0, WIDTH - 70.0),
            y - 12.0,
            number(Some(mean)),
            number(Some(low)),
            number(Some(high)),
        );
    }
    svg.push_str("</g>");
}

//! The pictures: references, and every scene with base and adapter side by side.

use std::fmt::Write;

use image::RgbImage;

use super::html::{escape, number, picture};
use crate::error::Error;
use crate::painter::Arm;
use crate::scores::{ImageRecord, Scores};

/// The row of references.
pub(super) fn references(scores: &Scores, photos: &[RgbImage]) -> Result<String, Error> {
    if photos.is_empty() {
        return Ok(String::new());
    }
    let hint = match scores.encoder {
        Some(_) => {
            "Under each photo: its cosine to the centroid of the others. Their mean is the ceiling."
        }
        None => "The photos that the character should look like.",
    };
    let mut html =
        format!("<section><h2>References</h2><p class=\"hint\">{hint}</p><div class=\"row\">");
    for (reference, photo) in scores.references.iter().zip(photos) {
        let name = escape(&reference.name);
        let note = match (reference.face, reference.leave_one_out) {
            (_, Some(cosine)) => format!("cosine {}", number(Some(cosine))),
            (Some(false), None) => "<b class=\"bad\">no face, left out</b>".to_owned(),
            _ => "not judged".to_owned(),
        };
        let _ = write!(
            html,
            "<figure><img alt=\"{name}\" src=\"{}\"><figcaption>{note}<br><span class=\"dim\">{name}\
             </span></figcaption></figure>",
            picture(photo)?
        );
    }
    html.push_str("</div></section>");
    Ok(html)
}

/// Every scene; `pictures` are those of `scores.images`, in the same order.
pub(super) fn scenes(scores: &Scores, pictures: &[&RgbImage]) -> Result<String, Error> {
    let mut html = "<section><h2>Scenes</h2><p class=\"hint\">Each group starts from the same noise: the bare base \
                    with the class word, the adapter with its trigger, and once a scene the adapter with \
                    the class word alone. The frame is the face that was judged.</p>"
        .to_owned();
    for prompt in &scores.prompts {
        let _ = write!(
            html,
            "<article><h3>{}</h3><p class=\"prompt\">{}</p><div class=\"pairs\">",
            escape(&prompt.name),
            escape(&prompt.text)
        );
        for replicate in 1..=scores.recipe.seeds_per_prompt {
            html.push_str("<div class=\"pair\">");
            for arm in [Arm::Base, Arm::Adapter, Arm::Class] {
                let images = scores.images.iter().zip(pictures);
                for (image, shown) in images.filter(|(image, _)| {
                    image.arm == arm && image.replicate == replicate && image.prompt == prompt.name
                }) {
                    figure(&mut html, image, shown)?;
                }
            }
            html.push_str("</div>");
        }
        html.push_str("</div></article>");
    }
    html.push_str("</section>");
    Ok(html)
}

fn figure(html: &mut String, image: &ImageRecord, shown: &RgbImage) -> Result<(), Error> {
    let arm = image.arm.name();
    let file = escape(&image.file);
    let _ = write!(
        html,
        "<figure class=\"{arm}\"><a class=\"frame\" href=\"{file}\"><img loading=\"lazy\" alt=\"{}\" \
         src=\"{}\">{}</a><figcaption>{}</figcaption></figure>",
        escape(&image.text),
        picture(shown)?,
        face_box(image),
        caption(image)
    );
    Ok(())
}

/// The face's frame in percent of the picture, cut at its edges.
fn face_box(image: &ImageRecord) -> String {
    let Some([x, y, width, height]) = image.bbox else {
        return String::new();
    };
    let span = |start: f32, length: f32, side: u32| {
        let percent =
            |pixels: f32| (f64::from(pixels) / f64::from(side.max(1)) * 100.0).clamp(0.0, 100.0);
        (percent(start), percent(start + length) - percent(start))
    };
    let (left, wide) = span(x, width, image.width);
    let (top, high) = span(y, height, image.height);
    format!("<i style=\"left:{left:.1}%;top:{top:.1}%;width:{wide:.1}%;height:{high:.1}%\"></i>")
}

fn caption(image: &ImageRecord) -> String {
    let arm = image.arm.name();
    let score = match (image.face, image.nis) {
        (Some(false), _) => "<b class=\"bad\">no face</b>".to_owned(),
        (_, Some(nis)) => format!("<b>NIS {}</b>", number(Some(nis))),
        _ => String::new(),
    };
    let cosine = image
        .cosine
        .map(|cosine| format!(" · cosine {}", number(Some(cosine))))
        .unwrap_or_default();
    let nearest = image.nearest.as_ref().map(|nearest| {
        format!("<br>nearest {} {}", escape(&nearest.reference), number(Some(nearest.cosine)))
    });
    format!(
        "<span class=\"tag\">{arm}</span> {score}<span class=\"dim\">{cosine}{}<br>seed {}</span>",
        nearest.unwrap_or_default(),
        image.seed
    )
}

//! One evaluation from plan to report.

use std::path::Path;

use crate::error::Error;
use crate::event::Event;
use crate::folder::Folder;
use crate::gallery::{Gallery, Reference};
use crate::grid::grid;
use crate::judge::{Judge, Judges, Reader};
use crate::observation::{Observation, Seen, file_name, thumbnail};
use crate::painter::{Arm, Painter};
use crate::plan::{Plan, Recipe};
use crate::report::report;
use crate::scores::Scores;
use crate::scoring::Evidence;

/// Paints the plan's images into the folder `out`, judges them against `references` and reports.
///
/// Writes `images/`, `grid.png`, `report.html` and last `scores.json`. Images
/// that an interrupted run of the same recipe left are used again. Without a
/// judge, images and report are made all the same and identity is `None`.
pub fn evaluate(
    plan: &Plan,
    references: &[Reference],
    painter: &mut dyn Painter,
    judges: Judges,
    out: &Path,
    on_event: &mut dyn FnMut(Event),
) -> Result<Scores, Error> {
    plan.check()?;
    let Judges { faces, scenes: reader } = judges;
    let mut judged = match faces {
        None => None,
        Some(judge) => {
            let gallery = Gallery::look(judge, references, |name, face| {
                on_event(Event::Reference { name: name.to_owned(), face });
            })?;
            Some((judge, gallery))
        }
    };
    let folder = Folder::claim(out, &plan.recipe, plan.force)?;
    let axes = reader.as_ref().map(|reader| reader.axes().to_vec()).unwrap_or_default();
    let judged_by = judged.as_mut();
    let mut run = Run { recipe: &plan.recipe, folder: &folder, painter, judged: judged_by, reader };
    let observations = run.observe(on_event)?;
    let judged = judged.map(|(judge, gallery)| (judge.fingerprint(), gallery));
    let evidence = Evidence { plan, references, judged, axes: &axes, observations: &observations };
    let scores = evidence.scores();
    publish(&folder, &scores, &observations, references, on_event)?;
    Ok(scores)
}

fn publish(
    folder: &Folder,
    scores: &Scores,
    observations: &[Observation],
    references: &[Reference],
    on_event: &mut dyn FnMut(Event),
) -> Result<(), Error> {
    let path = folder.keep("grid.png", &grid(observations))?;
    on_event(Event::Written { path });
    let photos: Vec<_> = references.iter().map(|reference| thumbnail(&reference.image)).collect();
    let images: Vec<_> = observations.iter().map(|image| &image.thumbnail).collect();
    let path = folder.write("report.html", report(scores, &images, &photos)?.as_bytes())?;
    on_event(Event::Written { path });
    let path = folder.write("scores.json", scores.to_json().as_bytes())?;
    on_event(Event::Written { path });
    Ok(())
}

/// The painting half of an evaluation.
struct Run<'a, 'j, 'r> {
    recipe: &'a Recipe,
    folder: &'a Folder,
    painter: &'a mut dyn Painter,
    judged: Option<&'a mut (&'j mut dyn Judge, Gallery)>,
    reader: Option<&'a mut (dyn Reader + 'r)>,
}

impl Run<'_, '_, '_> {
    /// All images: the bare base first, so that a painter changes its weights only once.
    fn observe(&mut self, on_event: &mut dyn FnMut(Event)) -> Result<Vec<Observation>, Error> {
        let total = self.recipe.images();
        let mut observations = Vec::with_capacity(total);
        for arm in Arm::ALL {
            for prompt in 0..self.recipe.suite.prompts.len() {
                for replicate in 0..self.recipe.replicates(arm) {
                    let (image, reused) = self.image(prompt, replicate, arm)?;
                    on_event(Event::Image {
                        done: observations.len() + 1,
                        total,
                        file: image.file.clone(),
                        reused,
                        cosine: image.seen.as_ref().map(|seen| seen.cosine),
                    });
                    observations.push(image);
                }
            }
        }
        Ok(observations)
    }

    fn image(
        &mut self,
        prompt: usize,
        replicate: usize,
        arm: Arm,
    ) -> Result<(Observation, bool), Error> {
        let file = file_name(prompt, replicate, arm);
        let (image, reused) = match self.folder.image(&file) {
            Some(image) => (image, true),
            None => {
                let shot = self.recipe.shot(prompt, replicate, arm);
                let image = self.painter.paint(&shot).map_err(|error| Error::Painting {
                    name: file.clone(),
                    source: Box::new(error),
                })?;
                self.folder.keep(&file, &image)?;
                (image, false)
            }
        };
        let seen = self.look(&image, &file)?;
        let read = match self.reader.as_deref_mut() {
            Some(reader) => reader
                .read(&image)
                .map_err(|error| Error::Faces { name: file.clone(), source: Box::new(error) })?,
            None => Vec::new(),
        };
        let (size, thumbnail) = (image.dimensions(), thumbnail(&image));
        Ok((Observation { prompt, replicate, arm, file, size, seen, read, thumbnail }, reused))
    }

    fn look(&mut self, image: &image::RgbImage, file: &str) -> Result<Option<Seen>, Error> {
        let Some((judge, gallery)) = self.judged.as_deref_mut() else {
            return Ok(None);
        };
        let sighting = judge
            .look(image)
            .map_err(|error| Error::Faces { name: file.to_owned(), source: Box::new(error) })?;
        let Some(sighting) = sighting else {
            return Ok(None);
        };
        if !sighting.bbox.iter().all(|side| side.is_finite()) {
            return Err(Error::NotFinite(file.to_owned()));
        }
        Ok(Some(Seen {
            bbox: sighting.bbox,
            cosine: gallery.cosine(&sighting.identity, file)?,
            nearest: gallery.nearest(&sighting.identity, file)?,
        }))
    }
}

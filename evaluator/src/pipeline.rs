//! Our diffusion pipeline as a painter.

use image::RgbImage;
use likeness_diffusion::adapter::{Adapter, Strength};
use likeness_diffusion::pipeline::{Pipeline, Request};

use crate::error::Error;
use crate::painter::{Arm, Painter, Shot};

/// Paints with a pipeline: without the adapter for the bare base, with it for the others.
pub struct PipelinePainter<'a> {
    pipeline: &'a mut Pipeline,
    adapter: &'a Adapter,
    strength: Strength,
    template: Request, // everything but prompts and seed
    attached: bool,
}

impl<'a> PipelinePainter<'a> {
    /// `template` gives size, sampler, steps and guidance; its prompts and seed are replaced.
    pub fn new(
        pipeline: &'a mut Pipeline,
        adapter: &'a Adapter,
        strength: Strength,
        template: Request,
    ) -> Self {
        pipeline.detach();
        Self { pipeline, adapter, strength, template, attached: false }
    }

    fn switch_to(&mut self, arm: Arm) {
        match arm {
            Arm::Adapter | Arm::Class if !self.attached => {
                self.pipeline.attach(self.adapter, self.strength)
            }
            Arm::Base if self.attached => self.pipeline.detach(),
            _ => {}
        }
        self.attached = arm != Arm::Base;
    }
}

impl Painter for PipelinePainter<'_> {
    fn paint(&mut self, shot: &Shot) -> Result<RgbImage, Error> {
        self.switch_to(shot.arm);
        let request = Request {
            prompt: shot.prompt.clone(),
            negative: shot.negative.clone(),
            seed: shot.seed,
            batch: 1,
            ..self.template.clone()
        };
        let pictures = self.pipeline.generate(&request, &mut |_| {}).map_err(Error::foreign)?;
        let picture = pictures.into_iter().next().expect("a batch of one has one picture");
        let (width, height) = (picture.width, picture.height);
        let image = RgbImage::from_raw(width, height, picture.rgb);
        Ok(image.expect("a picture has three bytes a pixel"))
    }
}

//! What is behind a person, painted out of focus and lit with the scene.

pub(crate) mod canvas;
mod indoors;
mod nature;
mod town;

use crate::picture::Size;
use crate::scene::Scene;
use crate::scene::light::{Light, Lighting};
use crate::scene::place::Place;
use crate::seed::Draw;
use crate::vector::{Vec3, smoothstep};
use canvas::Canvas;

/// The canvas behind a person, in linear light.
pub(crate) fn backdrop(scene: &Scene, light: &Lighting, size: Size) -> Canvas {
    let [half, _] = scene.framing.view();
    let aspect = size.width as f32 / size.height as f32;
    let zoom = (half / 2.05).sqrt();
    let mut canvas = Canvas::new(aspect, zoom);
    let draw = &mut Draw::new(scene.seed, "place");
    paint(scene.place, &mut canvas, draw);
    canvas.blur(0.026 / zoom);
    illuminate(&mut canvas, scene.light, light);
    canvas.glow();
    canvas
}

fn paint(place: Place, canvas: &mut Canvas, draw: &mut Draw) {
    match place {
        Place::Beach => nature::beach(canvas, draw),
        Place::Forest => nature::forest(canvas, draw),
        Place::Snow => nature::snow(canvas, draw),
        Place::Desert => nature::desert(canvas, draw),
        Place::Mountains => nature::mountains(canvas, draw),
        Place::Meadow => nature::meadow(canvas, draw),
        Place::Waterfall => nature::waterfall(canvas, draw),
        Place::Park => nature::park(canvas, draw),
        Place::City => town::city(canvas, draw),
        Place::Cafe => town::cafe(canvas, draw),
        Place::Stage => town::stage(canvas, draw),
        Place::Market => town::market(canvas, draw),
        Place::Subway => town::subway(canvas, draw),
        Place::BrickWall => town::brick_wall(canvas, draw),
        Place::Library => indoors::library(canvas, draw),
        Place::Kitchen => indoors::kitchen(canvas, draw),
        Place::Studio => indoors::studio(canvas, draw),
        Place::Office => indoors::office(canvas, draw),
        Place::Aquarium => indoors::aquarium(canvas, draw),
        Place::Bedroom => indoors::bedroom(canvas, draw),
    }
}

/// The place in the scene's light: its tint, brighter on the light's side, the rim light's glow.
fn illuminate(canvas: &mut Canvas, kind: Light, light: &Lighting) {
    let (key, rim) = (light.key, light.rim);
    let wash = match kind {
        Light::Neon => 0.42,
        Light::Candle => 0.10,
        Light::Golden => 0.16,
        Light::Side => 0.22,
        _ => 0.0,
    };
    canvas.map(|x, y, color| {
        let toward = |side: f32| smoothstep(-0.2, 1.1, x * side.signum());
        let tint = light.behind
            + key.color * (wash * toward(key.toward.x))
            + rim.color * (if kind == Light::Neon { wash * toward(rim.toward.x) } else { 0.0 });
        let (dx, dy) = (x - rim.toward.x, y - 0.55);
        let halo = (-(dx * dx + dy * dy) * 0.9).exp();
        let mist = Vec3::ONE * (0.04 * light.glow.luminance());
        color * tint + light.glow * halo + mist
    });
}

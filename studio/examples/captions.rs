//! Captions of a few pictures, to read them: `--example captions`.

use likeness_studio::{Character, IdentitySaid, Scene, Wording, caption};

#[allow(clippy::print_stdout, reason = "the captions are what the example is for")]
fn main() {
    let said = [IdentitySaid::Fully, IdentitySaid::Partly, IdentitySaid::Unsaid];
    for seed in 0..12 {
        let (who, scene) = (Character::from_seed(seed), Scene::sample(seed));
        let subject = if seed % 2 == 0 { "person" } else { "aurora person" };
        let wording = Wording::of(subject).saying(said[seed as usize % 3]);
        println!("{}", caption(&who, &scene, &wording.dropping(0.3).seeded(seed)));
    }
}

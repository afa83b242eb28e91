//! The references: the photos that images are compared with.

use image::RgbImage;
use likeness_faces::{Identity, centroid};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::judge::Judge;

/// One photo of the character.
#[derive(Debug, Clone)]
pub struct Reference {
    /// How reports call it, such as its file name.
    pub name: String,
    /// The photo.
    pub image: RgbImage,
}

/// The reference that an image is most alike to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nearest {
    /// The reference's name.
    pub reference: String,
    /// Cosine of both faces, -1 to 1.
    pub cosine: f64,
}

/// The references' identities, and what follows from them.
#[derive(Debug)]
pub(crate) struct Gallery {
    /// One entry a reference; `None` where no face was found.
    pub identities: Vec<Option<Identity>>,
    /// Cosine of each reference to the centroid of the others; `None` without a face.
    pub leave_one_out: Vec<Option<f64>>,
    /// Highest cosine between two references.
    pub closest_pair: f64,
    centroid: Identity,
}

impl Gallery {
    /// Sets the gallery from one identity a reference.
    pub fn new(identities: Vec<Option<Identity>>) -> Result<Self, Error> {
        let faces: Vec<Identity> = identities.iter().flatten().cloned().collect();
        if faces.len() < 2 {
            return Err(Error::TooFewReferences { found: faces.len(), given: identities.len() });
        }
        let centre = |faces: &[Identity]| {
            centroid(faces).ok_or_else(|| Error::NotFinite("the references".to_owned()))
        };
        let mut leave_one_out = Vec::with_capacity(identities.len());
        for (index, own) in identities.iter().enumerate() {
            let Some(own) = own else {
                leave_one_out.push(None);
                continue;
            };
            let others: Vec<Identity> = identities
                .iter()
                .enumerate()
                .filter(|(other, _)| *other != index)
                .filter_map(|(_, identity)| identity.clone())
                .collect();
            leave_one_out.push(Some(finite(own.cosine(&centre(&others)?), "the references")?));
        }
        let mut closest_pair = -1.0_f64;
        for (index, a) in faces.iter().enumerate() {
            for b in &faces[..index] {
                closest_pair = closest_pair.max(finite(a.cosine(b), "the references")?);
            }
        }
        Ok(Self { centroid: centre(&faces)?, identities, leave_one_out, closest_pair })
    }

    /// Looks at every reference.
    pub fn look(
        judge: &mut dyn Judge,
        references: &[Reference],
        mut seen: impl FnMut(&str, bool),
    ) -> Result<Self, Error> {
        let mut identities = Vec::with_capacity(references.len());
        for Reference { name, image } in references {
            let sighting = judge
                .look(image)
                .map_err(|error| Error::Faces { name: name.clone(), source: Box::new(error) })?;
            seen(name, sighting.is_some());
            identities.push(sighting.map(|sighting| sighting.identity));
        }
        Self::new(identities)
    }

    /// Cosine of `identity` to the centroid of the references; `name` is the image's.
    pub fn cosine(&self, identity: &Identity, name: &str) -> Result<f64, Error> {
        finite(identity.cosine(&self.centroid), name)
    }

    /// The index of the reference most alike to `identity`, and their cosine.
    pub fn nearest(&self, identity: &Identity, name: &str) -> Result<(usize, f64), Error> {
        self.identities
            .iter()
            .enumerate()
            .filter_map(|(index, reference)| Some((index, identity.cosine(reference.as_ref()?))))
            .max_by(|a, b| a.1.total_cmp(&b.1))
            .filter(|(_, cosine)| cosine.is_finite())
            .ok_or_else(|| Error::NotFinite(name.to_owned()))
    }
}

fn finite(value: f64, name: &str) -> Result<f64, Error> {
    if value.is_finite() { Ok(value) } else { Err(Error::NotFinite(name.to_owned())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(degrees: f32) -> Option<Identity> {
        let angle = degrees.to_radians();
        Some(Identity::new(vec![angle.cos(), angle.sin()]))
    }

    #[test]
    fn each_reference_is_compared_with_the_centroid_of_the_others() {
        let gallery = Gallery::new(vec![at(0.0), None, at(40.0), at(20.0)]).expect("faces");
        let cos = |degrees: f64| degrees.to_radians().cos();
        let expected = [cos(30.0), cos(30.0), cos(0.0)];
        let found: Vec<f64> = gallery.leave_one_out.iter().flatten().copied().collect();
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{found:?}");
        assert!((gallery.closest_pair - cos(20.0)).abs() < 1e-6);
    }

    #[test]
    fn the_nearest_reference_keeps_its_place_in_the_list() {
        let gallery = Gallery::new(vec![at(0.0), None, at(40.0)]).expect("faces");
        let (index, cosine) = gallery.nearest(&at(38.0).expect("a face"), "i").expect("finite");
        assert_eq!(index, 2);
        assert!((cosine - 2.0_f64.to_radians().cos()).abs() < 1e-6);
        let centre = gallery.cosine(&at(20.0).expect("a face"), "i").expect("finite");
        assert!((centre - 1.0).abs() < 1e-6);
    }

    #[test]
    fn one_face_is_no_gallery() {
        let error = Gallery::new(vec![at(0.0), None]).expect_err("one face");
        assert!(error.to_string().contains("in 1 of 2 references"));
    }
}

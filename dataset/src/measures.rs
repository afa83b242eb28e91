//! The measured numbers of a photo, each with what it is and its limits.
//!
//! A photo has some fifty, and a folder may have thousands of photos whose measures have the same
//! names and limits: these are kept once ([`Kinds`]), so that a number takes 16 bytes.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};

use crate::record::rounded;

/// What is measured, and between which limits.
#[derive(Debug, Clone, PartialEq)]
pub struct MeasureKind {
    /// What was measured, such as "eye_distance".
    pub name: Cow<'static, str>,
    /// Its unit: "px", "share", "ratio", "cosine", "bits" or "count".
    pub unit: Cow<'static, str>,
    /// The photo is dropped below this, where a lower limit applies.
    pub lowest: Option<f64>,
    /// The photo is dropped above this, where an upper limit applies.
    pub highest: Option<f64>,
}

/// One measured number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
pub struct Measure {
    /// What it is of.
    pub kind: Arc<MeasureKind>,
    /// The number.
    pub value: f64,
}

/// A measure as it stands in the file.
#[derive(Serialize, Deserialize)]
struct Written {
    name: Cow<'static, str>,
    value: f64,
    unit: Cow<'static, str>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    lowest: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    highest: Option<f64>,
}

impl From<Written> for Measure {
    fn from(Written { name, value, unit, lowest, highest }: Written) -> Self {
        Self { kind: Arc::new(MeasureKind { name, unit, lowest, highest }), value }
    }
}

impl From<Measure> for Written {
    fn from(Measure { kind, value }: Measure) -> Self {
        let MeasureKind { name, unit, lowest, highest } = Arc::unwrap_or_clone(kind);
        Self { name, value, unit, lowest, highest }
    }
}

/// All measured numbers of a photo, in the order of the rules. A copy shares them.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(from = "Vec<Measure>")]
pub struct Measures(Arc<Vec<Measure>>);

impl Serialize for Measures {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.0.as_slice().serialize(to)
    }
}

impl From<Vec<Measure>> for Measures {
    fn from(measures: Vec<Measure>) -> Self {
        Self(Arc::new(measures))
    }
}

impl Measures {
    /// The value of the measure called `name`.
    pub fn get(&self, name: &str) -> Option<f64> {
        self.0.iter().find(|measure| measure.kind.name == name).map(|measure| measure.value)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Measure> {
        self.0.iter()
    }

    /// Adds a measure with its limits.
    pub(crate) fn add(
        &mut self,
        name: impl Into<Cow<'static, str>>,
        value: f64,
        unit: &'static str,
        lowest: Option<f64>,
        highest: Option<f64>,
    ) {
        let kind = MeasureKind { name: name.into(), unit: unit.into(), lowest, highest };
        let measure = Measure { kind: Arc::new(kind), value: rounded(value) };
        Arc::make_mut(&mut self.0).push(measure);
    }
}

/// The kinds of measures that many photos have.
#[derive(Default)]
pub(crate) struct Kinds(HashMap<Cow<'static, str>, Vec<Arc<MeasureKind>>>);

impl Kinds {
    /// Lets `measures` share their kinds with those that came before, and gives back the room that
    /// they keep for more.
    pub fn share(&mut self, measures: &mut Measures) {
        let measures = Arc::make_mut(&mut measures.0);
        measures.shrink_to_fit();
        for Measure { kind, .. } in measures {
            let known = self.0.entry(kind.name.clone()).or_default();
            match known.iter().find(|known| *known == kind) {
                Some(known) => *kind = known.clone(),
                None => known.push(kind.clone()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measures(value: f64, least: f64) -> Measures {
        let mut measures = Measures::default();
        measures.add("short_side", value, "px", Some(least), None);
        measures.add("noise", 0.25, "ratio", None, None);
        measures
    }

    #[test]
    fn a_measure_is_written_in_one_object_and_read_back() {
        let text = serde_json::to_string(&measures(600.0, 512.0)).expect("JSON");
        let expected = r#"[{"name":"short_side","value":600.0,"unit":"px","lowest":512.0},{"name":"noise","value":0.25,"unit":"ratio"}]"#;
        assert_eq!(text, expected);
        let read: Measures = serde_json::from_str(&text).expect("what was written");
        assert_eq!(read, measures(600.0, 512.0));
    }

    #[test]
    fn equal_kinds_are_kept_once_and_others_stay() {
        let mut all = [measures(600.0, 512.0), measures(700.0, 512.0), measures(600.0, 256.0)];
        let before = all.clone();
        let mut kinds = Kinds::default();
        all.iter_mut().for_each(|measures| kinds.share(measures));
        assert_eq!(all, before);
        let kind = |of: usize, at: usize| &all[of].0[at].kind;
        assert!(Arc::ptr_eq(kind(0, 0), kind(1, 0)) && Arc::ptr_eq(kind(0, 1), kind(2, 1)));
        assert!(!Arc::ptr_eq(kind(0, 0), kind(2, 0)));
    }
}

//! Names what a picture shows in tags, by a WD14-style network.
//!
//! The picture is put on a white square, brought to the network's size and fed as BGR floats of 0 to
//! 255; the network answers with a probability for each line of `selected_tags.csv` beside it.
//! Source: `tag_images_by_wd14_tagger.py` of <https://github.com/kohya-ss/sd-scripts>, and
//! <https://huggingface.co/SmilingWolf/wd-v1-4-convnext-tagger-v2>.

mod card;

use std::path::{Path, PathBuf};

use image::RgbImage;

use crate::card::Channels;
use crate::error::FaceError;
use crate::features::squared;
use crate::fingerprint::sha256_hex;
use crate::network::{self, Plan};
use card::{Card, Layout};

/// The category of tags that describe; 4 are names of characters, 9 are ratings.
const GENERAL: &str = "0";
/// Names up to this long are faces made of signs, such as `^_^`, whose underscores stay.
const SIGNS: usize = 3;

/// A tag that a picture has.
#[derive(Debug, Clone, PartialEq)]
pub struct Tag {
    /// Its name, with spaces.
    pub name: String,
    /// How sure the tagger is, 0 to 1.
    pub score: f32,
}

/// A tagger, ready to run. Can be shared between threads.
pub struct Tagger {
    file: PathBuf,
    card: Card,
    /// One a number of the answer; `None` for names and ratings.
    names: Vec<Option<String>>,
    plan: Plan,
    fingerprint: String,
}

impl Tagger {
    /// Opens the model `file` with the list of tags beside it.
    pub fn open(file: &Path) -> Result<Self, FaceError> {
        let bytes = read(file)?;
        let card = Card::of(file, &bytes)?;
        let list = read(&card.tags)?;
        let names = names(&card.tags, &list)?;
        let plan = network::plan(card.shape(), &bytes)
            .map_err(|source| FaceError::Model { path: file.into(), source: source.into() })?;
        let parts = [sha256_hex(&bytes), sha256_hex(&list), format!("{card:?}")];
        let fingerprint = sha256_hex(parts.join("\n").as_bytes());
        let tagger = Self { file: file.into(), card, names, plan, fingerprint };
        tagger.tags(&RgbImage::new(8, 8))?; // a list of another model is found before any work
        Ok(tagger)
    }

    /// The model's name: the file's, unless the TOML beside it gives another.
    pub fn name(&self) -> &str {
        &self.card.name
    }

    /// A sha256 in hex over the model, its tags and how it is fed.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// The tags of `image` above the threshold, the surest first.
    pub fn tags(&self, image: &RgbImage) -> Result<Vec<Tag>, FaceError> {
        let values = self.values(&self.square(image));
        let outputs = network::run(&self.plan, self.card.shape(), &values)
            .map_err(|source| FaceError::Run { path: self.file.clone(), source: source.into() })?;
        let scores = match outputs.as_slice() {
            [only] if only.values.len() == self.names.len() => &only.values,
            _ => {
                let shapes: Vec<_> =
                    outputs.iter().map(|output| format!("{:?}", output.shape)).collect();
                let found = format!("outputs of shape {}", shapes.join(", "));
                let listed = format!(
                    "one output of {} numbers, as `{}` has tags",
                    self.names.len(),
                    self.card.tags.display()
                );
                return Err(FaceError::Output { path: self.file.clone(), found, expected: listed });
            }
        };
        let sure = |score: f32| if self.card.logits { 1.0 / (1.0 + (-score).exp()) } else { score };
        let named = self
            .names
            .iter()
            .zip(scores)
            .filter_map(|(name, score)| Some(Tag { name: name.clone()?, score: sure(*score) }));
        let mut tags: Vec<Tag> = named.filter(|tag| tag.score >= self.card.threshold).collect();
        tags.sort_by(|a, b| b.score.total_cmp(&a.score));
        tags.truncate(self.card.most);
        Ok(tags)
    }

    /// `image` in the middle of a white square, at the network's size.
    fn square(&self, image: &RgbImage) -> RgbImage {
        squared(image, self.card.size)
    }

    fn values(&self, square: &RgbImage) -> Vec<f32> {
        let order = match self.card.channels {
            Channels::Rgb => [0, 1, 2],
            Channels::Bgr => [2, 1, 0],
        };
        let value = |raw: u8| (f32::from(raw) - self.card.mean) / self.card.scale;
        match self.card.layout {
            Layout::Nhwc => {
                square.pixels().flat_map(|pixel| order.map(|c| value(pixel[c]))).collect()
            }
            Layout::Nchw => order
                .iter()
                .flat_map(|&c| square.pixels().map(move |pixel| value(pixel[c])))
                .collect(),
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>, FaceError> {
    std::fs::read(path).map_err(|source| FaceError::Read { path: path.into(), source })
}

/// The names in the `list` at `path`: the columns `name` and `category` of a CSV file.
fn names(path: &Path, list: &[u8]) -> Result<Vec<Option<String>>, FaceError> {
    let wrong = |what: String| FaceError::Tagger { path: path.into(), what };
    let text = std::str::from_utf8(list)
        .map_err(|_| wrong("is no UTF-8 text; download it again".into()))?;
    let mut lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let header = lines.next().map(|(_, line)| fields(line)).unwrap_or_default();
    let column = |name: &str| header.iter().position(|header| header == name);
    let (Some(name), Some(category)) = (column("name"), column("category")) else {
        let what =
            "has no columns `name` and `category`; download the tagger's own selected_tags.csv";
        return Err(wrong(what.into()));
    };
    let one = |(index, line): (usize, &str)| {
        let row = fields(line);
        let (Some(name), Some(category)) = (row.get(name), row.get(category)) else {
            let line = index + 1;
            return Err(wrong(format!("lacks a column in line {line}; download it again")));
        };
        let signs = name.chars().count() <= SIGNS;
        let spaced = if signs { name.clone() } else { name.replace('_', " ") };
        Ok((category == GENERAL).then_some(spaced))
    };
    lines.map(one).collect()
}

/// The fields of a line of CSV (RFC 4180, section 2): parted by commas, which quotes protect; a
/// doubled quote within quotes is one. Tags hold no line breaks.
fn fields(line: &str) -> Vec<String> {
    let (mut fields, mut quoted) = (vec![String::new()], false);
    let mut marks = line.trim_end_matches('\r').chars().peekable();
    while let Some(mark) = marks.next() {
        let last = fields.last_mut().expect("there is always one");
        match mark {
            '"' if quoted && marks.next_if_eq(&'"').is_some() => last.push('"'),
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            _ => last.push(mark),
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;

    use image::Rgb;

    use super::*;
    use crate::onnx::Graph;

    const LIST: &str = "tag_id,name,category,count\n1,red_wall,0,9\n2,blue_wall,0,9\n3,mika_(x),4,9\n\
                        4,general,9,9\n5,^_^,0,1\n";

    /// A network of 16 px that is sure of a colour: `logit = (mean of the colour - 128) / 16`.
    fn tagger(layout: Layout, sigmoid: bool) -> Vec<u8> {
        let mut graph = Graph::new();
        let (shape, axes) = match layout {
            Layout::Nhwc => ([1, 16, 16, 3], [1, 2]),
            Layout::Nchw => ([1, 3, 16, 16], [2, 3]),
        };
        let mean = graph.mean(Graph::INPUT, &axes);
        let flat = graph.reshape(&mean, &[1, 3]);
        let mut weight = [0.0; 15]; // [5, 3], over blue, green, red
        (weight[2], weight[3]) = (1.0 / 16.0, 1.0 / 16.0);
        let mut answer = graph.linear(&flat, (&[5, 3], &weight), &[-8.0, -8.0, 8.0, 8.0, 8.0]);
        if sigmoid {
            answer = graph.sigmoid(&answer);
        }
        graph.file(&shape, &BTreeMap::from([("tags".to_owned(), (answer, vec![1, 5]))]))
    }

    fn folder(model: &[u8], list: &str) -> tempfile::TempDir {
        let dir = tempfile::tempdir().expect("a temporary folder");
        fs::write(dir.path().join("wd.onnx"), model).expect("a model");
        fs::write(dir.path().join("selected_tags.csv"), list).expect("a list");
        dir
    }

    fn open(dir: &tempfile::TempDir) -> Result<Tagger, FaceError> {
        Tagger::open(&dir.path().join("wd.onnx"))
    }

    fn named(tagger: &Tagger, colour: [u8; 3]) -> Vec<String> {
        let tags = tagger.tags(&RgbImage::from_pixel(40, 40, Rgb(colour))).expect("tags");
        tags.into_iter().map(|tag| tag.name).collect()
    }

    #[test]
    fn a_tagger_of_either_layout_names_colours_and_no_characters_or_ratings() {
        for layout in [Layout::Nhwc, Layout::Nchw] {
            let tagger = open(&folder(&tagger(layout, true), LIST)).expect("a tagger");
            assert_eq!((tagger.card.size, tagger.card.layout), (16, layout));
            assert_eq!(named(&tagger, [200, 0, 0]), ["^_^", "red wall"]);
            assert_eq!(named(&tagger, [0, 0, 250]), ["^_^", "blue wall"]);
        }
    }

    #[test]
    fn quotes_protect_commas_in_a_list() {
        assert_eq!(fields("1,\"a, \"\"b\"\"\",0\r"), ["1", "a, \"b\"", "0"]);
        assert_eq!(fields(""), [""]);
    }

    #[test]
    fn a_narrow_picture_stands_on_white() {
        let tagger = open(&folder(&tagger(Layout::Nhwc, true), LIST)).expect("a tagger");
        let square = tagger.square(&RgbImage::new(4, 16));
        assert_eq!(square.dimensions(), (16, 16));
        assert_eq!((square.get_pixel(0, 0).0, square.get_pixel(8, 8).0), ([255; 3], [0; 3]));
    }

    #[test]
    fn the_toml_beside_it_wins() {
        let dir = folder(&tagger(Layout::Nhwc, false), LIST);
        let text = "name = 'mine'\nchannels = 'rgb'\nthreshold = 0.9\nlogits = true\nmost = 1\n";
        fs::write(dir.path().join("wd.toml"), text).expect("a description");
        let tagger = open(&dir).expect("a tagger");
        assert_eq!(tagger.name(), "mine");
        assert_eq!(named(&tagger, [255, 0, 0]), ["^_^"]);
        let other = open(&folder(&tests::tagger(Layout::Nhwc, false), LIST)).expect("a tagger");
        assert_ne!(tagger.fingerprint(), other.fingerprint());
        fs::write(dir.path().join("wd.toml"), "treshold = 1\n").expect("a description");
        let error = open(&dir).err().expect("a misspelled key").to_string();
        assert!(error.contains("treshold") && error.contains("threshold, most"), "{error}");
    }

    #[test]
    fn what_is_no_tagger_or_another_ones_list_is_refused() {
        let good = tagger(Layout::Nhwc, true);
        let short = open(&folder(&good, "tag_id,name,category,count\n1,a,0,1\n")).err();
        assert!(short.expect("too few").to_string().contains("one output of 1 numbers"));
        let other = open(&folder(&good, "a,b\n1,2\n")).err().expect("other columns");
        assert!(other.to_string().contains("`name` and `category`"), "{other}");
        let error = open(&folder(b"no model", LIST)).err().expect("no model").to_string();
        assert!(error.contains("wd.onnx"), "{error}");
        let dir = folder(&good, LIST);
        fs::remove_file(dir.path().join("selected_tags.csv")).expect("a list");
        assert!(open(&dir).err().expect("no list").to_string().contains("selected_tags.csv"));
    }
}

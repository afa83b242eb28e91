//! Draws the sheet: its photos in cells of one size.

use image::imageops::{self, FilterType};
use image::{Rgb, RgbImage};
use likeness_faces::Face;

use super::light::{self, Area};
use super::{SheetPhoto, SheetView};
use crate::bucket::Bucket;
use crate::crop::Crop;
use crate::dataset::{self, Dataset};
use crate::error::DatasetError;
use crate::framing;
use crate::head::Head;
use crate::record::ImageRecord;

const CELL: Bucket = Bucket { width: 512, height: 512 };
const GAP: u32 = 8;
const PAPER: Rgb<u8> = Rgb([255; 3]);
const IN_A_ROW: usize = 3; // four are two rows of two
const LEVEL_YAW: f64 = 28.0; // beyond, the far side of a face is not seen

/// A photo brought to its cell.
struct Cell {
    picture: RgbImage,
    /// Where its face is, and whether light from a side is taken away.
    face: Option<(Area, bool)>,
}

/// The sheet of `photos`: cells of 512 px, in rows.
pub(super) fn draw(dataset: &Dataset, photos: &[SheetPhoto]) -> Result<RgbImage, DatasetError> {
    let mut cells = Vec::new();
    for SheetPhoto { path, view } in photos {
        let found = dataset.images.iter().find(|record| record.path == *path);
        let record = found.ok_or_else(|| DatasetError::NoCrop { path: path.clone() })?;
        cells.push(cell(&dataset::photo(&dataset.character.photos, record)?, record, *view));
    }
    let mut faces: Vec<(&mut RgbImage, Area, bool)> = cells
        .iter_mut()
        .filter_map(|cell| cell.face.map(|(area, sides)| (&mut cell.picture, area, sides)))
        .collect();
    light::even(&mut faces);
    Ok(grid(&cells))
}

fn grid(cells: &[Cell]) -> RgbImage {
    let columns = if cells.len() == 4 { 2 } else { cells.len().clamp(1, IN_A_ROW) };
    let rows = cells.len().div_ceil(columns);
    let length = |count: usize, side: u32| count as u32 * (side + GAP) + GAP;
    let mut grid =
        RgbImage::from_pixel(length(columns, CELL.width), length(rows, CELL.height), PAPER);
    for (index, Cell { picture, .. }) in cells.iter().enumerate() {
        let at = |place: usize, side: u32, length: u32| {
            i64::from(GAP + place as u32 * (side + GAP) + (side - length) / 2)
        };
        let x = at(index % columns, CELL.width, picture.width());
        let y = at(index / columns, CELL.height, picture.height());
        imageops::replace(&mut grid, picture, x, y);
    }
    grid
}

/// Head and shoulders, or the whole photo where it shows the figure or no face.
fn cell(photo: &RgbImage, record: &ImageRecord, view: SheetView) -> Cell {
    let (width, height) = photo.dimensions();
    let judged = record.measures.get("yaw");
    let face = record.faces.first().filter(|_| judged.is_some());
    let head = face.and_then(|face| Head::of(face, width, height));
    let crop = match (face, head, view) {
        (
            Some(face),
            Some(head),
            SheetView::Front | SheetView::ThreeQuarter | SheetView::Profile,
        ) => framing::PORTRAIT.crop((width, height), CELL, face, &head),
        _ => Crop { x: 0, y: 0, width, height },
    };
    let part = imageops::crop_imm(photo, crop.x, crop.y, crop.width, crop.height).to_image();
    let longer = crop.width.max(crop.height);
    let scale = f64::from(CELL.width) / f64::from(longer);
    let side = |length: u32| ((f64::from(length) * scale).round() as u32).clamp(1, CELL.width);
    let picture =
        imageops::resize(&part, side(crop.width), side(crop.height), FilterType::Lanczos3);
    let sides = judged.is_some_and(|yaw| yaw.abs() < LEVEL_YAW);
    Cell { picture, face: face.map(|face| (area(face, crop, scale), sides)) }
}

/// Where `face` is in a crop that is brought to `scale`.
fn area(face: &Face, crop: Crop, scale: f64) -> Area {
    let [x, y, w, h] = face.bbox.map(f64::from);
    [x - f64::from(crop.x), y - f64::from(crop.y), w, h].map(|value| value * scale)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::captions::testing::record;
    use crate::testing::texture;

    #[test]
    fn cells_are_of_one_size_and_stand_in_rows() {
        let plain = record("a.jpg");
        let wide = || cell(&texture(800, 400, 1), &plain, SheetView::Photo);
        assert_eq!(wide().picture.dimensions(), (512, 256));
        for (count, size) in
            [(1, (528, 528)), (2, (1048, 528)), (3, (1568, 528)), (4, (1048, 1048))]
        {
            let cells: Vec<Cell> = (0..count).map(|_| wide()).collect();
            assert_eq!(grid(&cells).dimensions(), size);
        }
        let grid = grid(&[wide()]);
        assert_eq!((*grid.get_pixel(0, 0), *grid.get_pixel(264, 100)), (PAPER, PAPER));
        assert_ne!(*grid.get_pixel(264, 264), PAPER);
    }

    #[test]
    fn a_face_is_shown_with_its_shoulders_and_found_in_its_cell() {
        let mut front = record("a.jpg");
        let bbox = [1000.0, 600.0, 150.0, 200.0];
        front.faces = vec![Face { bbox, landmarks: [[0.0; 2]; 5], score: 0.9 }];
        front.measures.add("yaw", 5.0, "degrees", None, None);
        let cell = cell(&texture(2000, 1600, 2), &front, SheetView::Front);
        let (area, sides) = cell.face.expect("a face");
        assert!(sides && cell.picture.dimensions() == (512, 512));
        assert!((area[3] / 512.0 - 1.0 / 3.6).abs() < 0.01, "{area:?}");
        assert!((area[0] + area[2] / 2.0 - 256.0).abs() < 2.0, "{area:?}");
    }
}

//! Files that are made on the spot: pictures, a document, a sound.

use std::f32::consts::TAU;
use std::io::Cursor;

use anyhow::Context as _;
use image::codecs::jpeg::JpegEncoder;
use image::{ImageFormat, Rgb, RgbImage};

/// A colour, from 0 to 1.
type Colour = [f32; 3];

/// What a picture of the sea shows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scene {
    pub(super) width: u32,
    pub(super) height: u32,
    /// At the top of the sky, at its foot, and of the water.
    pub(super) colours: [Colour; 3],
    /// Where the sun is, as parts of the width and height.
    pub(super) sun: (f32, f32),
    /// Boats, each by where it is and how large.
    pub(super) boats: &'static [(f32, f32, f32)],
    /// What makes the hills those of another coast.
    pub(super) coast: f32,
}

/// Part of the height at which the sky ends.
const HORIZON: f32 = 0.62;

/// A picture of the sea, as JPEG.
pub(super) fn jpeg(scene: &Scene) -> anyhow::Result<Vec<u8>> {
    let picture = picture(scene);
    let mut out = Vec::new();
    JpegEncoder::new_with_quality(&mut out, 86)
        .encode_image(&picture)
        .context("could not draw a picture")?;
    Ok(out)
}

/// A picture of the sea, as PNG.
pub(super) fn png(scene: &Scene) -> anyhow::Result<Vec<u8>> {
    let mut out = Cursor::new(Vec::new());
    picture(scene)
        .write_to(&mut out, ImageFormat::Png)
        .context("could not draw a picture")?;
    Ok(out.into_inner())
}

fn picture(scene: &Scene) -> RgbImage {
    #[expect(
        clippy::cast_precision_loss,
        reason = "pictures have far fewer pixels than a float tells apart"
    )]
    let part = |at: u32, of: u32| (at as f32 + 0.5) / of as f32;
    // What depends on one side alone is computed once for it.
    let columns: Vec<_> = (0..scene.width)
        .map(|x| scene.column(part(x, scene.width)))
        .collect();
    let rows: Vec<_> = (0..scene.height)
        .map(|y| scene.row(part(y, scene.height)))
        .collect();
    RgbImage::from_fn(scene.width, scene.height, |x, y| {
        let place = (columns.get(x as usize), rows.get(y as usize));
        let colour = match place {
            (Some(column), Some(row)) => scene.colour(column, row),
            _ => Colour::default(),
        };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "clamped to what a byte holds"
        )]
        Rgb(colour.map(|part| (part.clamp(0.0, 1.0) * 255.0) as u8))
    })
}

/// What all pixels above one another have in common.
struct Column {
    x: f32,
    /// Where the far and the near hills end, and their colours.
    hills: [(f32, Colour); 2],
}

/// What all pixels beside one another have in common.
struct Row {
    y: f32,
    /// Of the sky or the water, without what shines.
    base: Colour,
    /// From the horizon to the foot, 0 to 1; less in the sky.
    depth: f32,
}

impl Scene {
    fn column(&self, x: f32) -> Column {
        let [_, foot, water] = self.colours;
        let hill = |far: f32, height: f32, reach: f32| {
            let ridge = (x * reach * TAU + self.coast).sin() * 0.4
                + (x * reach * 2.7 * TAU + self.coast * 3.0).sin() * 0.22
                + (x * reach * 7.0 * TAU).sin() * 0.06;
            let top = HORIZON - height * (0.55 + ridge * 0.6).max(0.05);
            (top, mix(foot, mix(water, [0.04, 0.08, 0.1], 0.55), far))
        };
        Column {
            x,
            hills: [hill(0.45, 0.16, 2.3), hill(0.75, 0.1, 4.1)],
        }
    }

    fn row(&self, y: f32) -> Row {
        let [top, foot, water] = self.colours;
        let depth = (y - HORIZON) / (1.0 - HORIZON);
        let base = if depth < 0.0 {
            mix(top, foot, (y / HORIZON).powf(1.4))
        } else {
            mix(mix(foot, water, 0.55), water, depth.sqrt())
        };
        Row { y, base, depth }
    }

    fn colour(&self, column: &Column, row: &Row) -> Colour {
        if let Some(sail) = self.sail(column.x, row.y) {
            return sail;
        }
        if row.depth < 0.0 {
            self.sky(column, row)
        } else {
            self.water(column.x, row)
        }
    }

    fn sky(&self, column: &Column, row: &Row) -> Colour {
        // The near hills stand before the far ones.
        let [far, near] = column.hills;
        for (top, colour) in [near, far] {
            if row.y > top {
                return colour;
            }
        }
        let (dx, dy) = ((column.x - self.sun.0) * self.aspect(), row.y - self.sun.1);
        let distance = dx.hypot(dy);
        if distance < 0.045 {
            return [1.0, 0.96, 0.84];
        }
        if distance > 0.9 {
            return row.base;
        }
        mix(row.base, [1.0, 0.9, 0.7], 0.55 * (-distance * 6.5).exp())
    }

    fn water(&self, x: f32, row: &Row) -> Colour {
        let y = row.y;
        let waves = ((y * y * 210.0) + (x * 9.0 + self.coast).sin() * 1.3).sin()
            * ((x * 31.0 + y * 57.0).sin() * 0.5 + 0.5);
        let lit = mix(row.base, [1.0, 1.0, 1.0], 0.06 * waves.max(0.0));
        let aside = ((x - self.sun.0) / (0.035 + row.depth * 0.12)).powi(2);
        if aside > 8.0 {
            return lit;
        }
        mix(
            lit,
            [1.0, 0.93, 0.78],
            (-aside).exp() * (0.2 + 0.5 * waves.max(0.0)),
        )
    }

    /// The boat that covers this place, if one does: two sails and a hull.
    fn sail(&self, x: f32, y: f32) -> Option<Colour> {
        for (at, foot, size) in self.boats {
            let across = (x - at) * self.aspect() / size;
            let up = (foot - y) / size;
            let is_main = (0.02..0.55).contains(&across) && up > 0.12 && up < 1.2 - across * 1.9;
            let is_jib = (-0.38..-0.01).contains(&across) && up > 0.14 && up < 1.0 + across * 2.2;
            if is_main {
                return Some(mix([0.98, 0.97, 0.93], [0.85, 0.86, 0.88], across));
            }
            if is_jib {
                return Some([0.9, 0.36, 0.28]);
            }
            let bow = 0.55 - (0.1 - up).max(0.0) * 1.5;
            if (0.0..0.1).contains(&up) && across.abs() < bow {
                return Some([0.16, 0.2, 0.27]);
            }
        }
        None
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "pictures have far fewer pixels than a float tells apart"
    )]
    fn aspect(&self) -> f32 {
        self.width as f32 / self.height as f32
    }
}

fn mix(one: Colour, other: Colour, part: f32) -> Colour {
    let part = part.clamp(0.0, 1.0);
    std::array::from_fn(|channel| {
        let at = |colour: &Colour| colour.get(channel).copied().unwrap_or_default();
        at(&one) + (at(&other) - at(&one)) * part
    })
}

/// A document of one page for each slice of lines, the first line of each a heading; as PDF 1.4.
pub(super) fn pdf(pages: &[&[&str]]) -> Vec<u8> {
    let mut objects = vec![
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        {
            let kids: Vec<_> = (0..pages.len())
                .map(|page| format!("{} 0 R", 4 + page * 2))
                .collect();
            format!(
                "<< /Type /Pages /Count {} /Kids [{}] >>",
                pages.len(),
                kids.join(" ")
            )
        },
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"
            .to_owned(),
    ];
    for (index, lines) in pages.iter().enumerate() {
        let content = 5 + index * 2;
        objects.push(format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {content} 0 R \
             /Resources << /Font << /F1 3 0 R >> >> >>"
        ));
        let drawn = page(lines);
        objects.push(format!(
            "<< /Length {} >>\nstream\n{drawn}\nendstream",
            drawn.len()
        ));
    }
    let mut out = b"%PDF-1.4\n".to_vec();
    let mut offsets = Vec::with_capacity(objects.len());
    for (index, object) in objects.iter().enumerate() {
        offsets.push(out.len());
        out.extend(format!("{} 0 obj\n{object}\nendobj\n", index + 1).into_bytes());
    }
    let table_at = out.len();
    let mut end = format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    for offset in offsets {
        end.extend([format!("{offset:010} 00000 n \n")]);
    }
    let trailer = format!(
        "trailer\n<< /Size {} /Root 1 0 R >>\nstartxref\n{table_at}\n%%EOF\n",
        objects.len() + 1
    );
    out.extend(end.into_bytes());
    out.extend(trailer.into_bytes());
    out
}

/// The drawing of a page; its lines are plain letters.
fn page(lines: &[&str]) -> String {
    let mut drawn = String::from("BT /F1 22 Tf 72 760 Td 18 TL");
    for (index, line) in lines.iter().enumerate() {
        if index == 1 {
            drawn.push_str(" /F1 12 Tf T*");
        }
        let escaped = line
            .replace('\\', "\\\\")
            .replace('(', "\\(")
            .replace(')', "\\)");
        drawn.extend([" (", &escaped, ") Tj T*"]);
    }
    drawn.push_str(" ET");
    drawn
}

/// Two strokes of a ship's bell, as a WAV file: 16 bits, one channel.
pub(super) fn wav() -> Vec<u8> {
    const RATE: u32 = 22_050;
    const SAMPLES: u32 = RATE * 3;
    const PARTIALS: [(f32, f32, f32); 4] = [
        (1.0, 0.6, 2.2),
        (2.4, 0.25, 3.4),
        (3.0, 0.15, 4.5),
        (4.5, 0.1, 7.0),
    ];
    let mut out = Vec::with_capacity(44 + SAMPLES as usize * 2);
    out.extend(b"RIFF");
    out.extend((36 + SAMPLES * 2).to_le_bytes());
    out.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    out.extend(RATE.to_le_bytes());
    out.extend((RATE * 2).to_le_bytes());
    out.extend(b"\x02\0\x10\0data");
    out.extend((SAMPLES * 2).to_le_bytes());
    for sample in 0..SAMPLES {
        #[expect(clippy::cast_precision_loss, reason = "three seconds of samples")]
        let time = sample as f32 / RATE as f32;
        let stroke = |since: f32| -> f32 {
            if since < 0.0 {
                return 0.0;
            }
            PARTIALS
                .iter()
                .map(|(pitch, loud, decay)| {
                    (TAU * 660.0 * pitch * since).sin() * loud * (-since * decay).exp()
                })
                .sum()
        };
        let level = (stroke(time) + stroke(time - 0.45)) * 0.5;
        #[expect(clippy::cast_possible_truncation, reason = "clamped to 16 bits")]
        let level = (level.clamp(-1.0, 1.0) * 32_000.0) as i16;
        out.extend(level.to_le_bytes());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{Scene, jpeg, pdf, wav};

    #[test]
    fn files_are_what_they_say() {
        let scene = Scene {
            width: 160,
            height: 100,
            colours: [[0.2, 0.4, 0.8], [0.9, 0.8, 0.7], [0.1, 0.3, 0.4]],
            sun: (0.3, 0.3),
            boats: &[(0.5, 0.7, 0.2)],
            coast: 1.0,
        };
        let picture = image::load_from_memory(&jpeg(&scene).unwrap()).unwrap();
        assert_eq!((picture.width(), picture.height()), (160, 100));
        let document = pdf(&[&["Heading", "One (1)"], &["Second"]]);
        assert!(document.starts_with(b"%PDF-1.4\n") && document.ends_with(b"%%EOF\n"));
        let text = String::from_utf8(document).unwrap();
        let table: usize = text
            .split("startxref\n")
            .nth(1)
            .unwrap()
            .lines()
            .next()
            .unwrap()
            .parse()
            .unwrap();
        assert!(text[table..].starts_with("xref\n0 8\n"));
        let sound = wav();
        assert_eq!(&sound[8..16], b"WAVEfmt ");
        let announced = u32::from_le_bytes(sound[40..44].try_into().unwrap());
        assert_eq!(sound.len(), 44 + announced as usize);
    }
}

//! From the bytes of an image to its thumbnails: pure, and bounded in what it allocates.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ExtendedColorType, ImageDecoder, ImageFormat, ImageReader, Limits};
use wharf_types::api::drive::ImageSize;

use super::Size;

/// Most pixels of an image that is decoded. Cameras of phones have 50 million.
const PIXELS_MAX: u64 = 64_000_000;
/// Longest side of an image that is decoded.
const SIDE_MAX: u32 = 32_768;
/// Most memory that a decoder may take, the picture included.
const DECODER_BYTES_MAX: u64 = 320 * 1024 * 1024;
const JPEG_QUALITY: u8 = 82;

/// What became of an image.
#[derive(Debug)]
pub(super) struct Made {
    /// The size of the original, as it is to be shown.
    pub(super) size: ImageSize,
    /// JPEG, or PNG for what can be seen through.
    pub(super) thumbnails: Vec<(Size, Vec<u8>)>,
}

/// Decodes an image and makes its thumbnails; `None` where this is no image, or not one within the bounds.
pub(super) fn make(bytes: &[u8]) -> Option<Made> {
    match decode(bytes) {
        Ok(made) => made,
        Err(error) => {
            tracing::debug!(%error, "no thumbnail can be made");
            None
        }
    }
}

fn decode(bytes: &[u8]) -> image::ImageResult<Option<Made>> {
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format()?;
    let is_known = matches!(
        reader.format(),
        Some(ImageFormat::Jpeg | ImageFormat::Png | ImageFormat::Gif | ImageFormat::WebP)
    );
    if !is_known {
        return Ok(None);
    }
    let mut limits = Limits::default();
    limits.max_image_width = Some(SIDE_MAX);
    limits.max_image_height = Some(SIDE_MAX);
    limits.max_alloc = Some(DECODER_BYTES_MAX);
    reader.limits(limits);
    let mut decoder = reader.into_decoder()?;
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    if pixels == 0 || pixels > PIXELS_MAX || decoder.total_bytes() > DECODER_BYTES_MAX {
        return Ok(None);
    }
    // A thumbnail that lies on its side is better than none.
    let orientation = decoder
        .orientation()
        .unwrap_or(image::metadata::Orientation::NoTransforms);
    let image = DynamicImage::from_decoder(decoder)?;
    let mut large = shrunk(image, Size::Large);
    large.apply_orientation(orientation);
    let is_turned = is_turned(orientation);
    let size = ImageSize {
        width: if is_turned { height } else { width },
        height: if is_turned { width } else { height },
    };
    let mut thumbnails = Vec::with_capacity(2);
    thumbnails.push((Size::Large, encoded(&large)?));
    let small = shrunk(large, Size::Small);
    thumbnails.push((Size::Small, encoded(&small)?));
    Ok(Some(Made { size, thumbnails }))
}

/// Whether the sides change places.
const fn is_turned(orientation: image::metadata::Orientation) -> bool {
    use image::metadata::Orientation::{Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH};
    matches!(
        orientation,
        Rotate90 | Rotate90FlipH | Rotate270 | Rotate270FlipH
    )
}

/// The image with no side longer than the size has, in 8 bits. It is never made larger.
fn shrunk(image: DynamicImage, size: Size) -> DynamicImage {
    let side = size.side();
    let image = if image.width() > side || image.height() > side {
        image.thumbnail(side, side)
    } else {
        image
    };
    if image.color().has_alpha() {
        DynamicImage::ImageRgba8(image.into_rgba8())
    } else {
        DynamicImage::ImageRgb8(image.into_rgb8())
    }
}

fn encoded(image: &DynamicImage) -> image::ImageResult<Vec<u8>> {
    let mut out = Vec::new();
    if let DynamicImage::ImageRgb8(pixels) = image {
        JpegEncoder::new_with_quality(&mut out, JPEG_QUALITY).encode(
            pixels.as_raw(),
            pixels.width(),
            pixels.height(),
            ExtendedColorType::Rgb8,
        )?;
    } else {
        image.write_to(&mut Cursor::new(&mut out), ImageFormat::Png)?;
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use image::{DynamicImage, ImageFormat, Rgb, RgbImage, RgbaImage};

    use super::{Size, make};

    fn written(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
        let mut out = Cursor::new(Vec::new());
        image.write_to(&mut out, format).unwrap();
        out.into_inner()
    }

    fn gradient(width: u32, height: u32) -> DynamicImage {
        RgbImage::from_fn(width, height, |x, y| {
            let part = |at: u32, of: u32| u8::try_from(at * 255 / of).unwrap();
            Rgb([part(x, width), part(y, height), 90])
        })
        .into()
    }

    /// A JPEG with an EXIF block that says which way is up.
    fn with_orientation(jpeg: &[u8], orientation: u8) -> Vec<u8> {
        let mut exif = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
        exif.extend([orientation, 0, 0, 0, 0, 0, 0]);
        let length = u16::try_from(exif.len() + 2).unwrap().to_be_bytes();
        [&jpeg[..2], &[0xff, 0xe1], &length, &exif, &jpeg[2..]].concat()
    }

    #[test]
    fn every_known_format_becomes_small_and_keeps_its_shape() {
        // Long and low: writing a GIF takes its time.
        let image = gradient(1600, 40);
        for format in [
            ImageFormat::Jpeg,
            ImageFormat::Png,
            ImageFormat::Gif,
            ImageFormat::WebP,
        ] {
            let made = make(&written(&image, format)).unwrap();
            assert_eq!((made.size.width, made.size.height), (1600, 40));
            for (size, bytes) in made.thumbnails {
                let thumbnail = image::load_from_memory(&bytes).unwrap();
                assert_eq!(thumbnail.width(), size.side());
                assert_eq!(thumbnail.height(), size.side() / 40);
            }
        }
    }

    #[test]
    fn what_is_small_already_stays_as_large_as_it_is() {
        let made = make(&written(&gradient(100, 50), ImageFormat::Png)).unwrap();
        for (_, bytes) in made.thumbnails {
            let thumbnail = image::load_from_memory(&bytes).unwrap();
            assert_eq!((thumbnail.width(), thumbnail.height()), (100, 50));
        }
    }

    #[test]
    fn what_can_be_seen_through_stays_so() {
        let image = RgbaImage::from_pixel(64, 64, image::Rgba([200, 0, 0, 10]));
        let made = make(&written(&image.into(), ImageFormat::Png)).unwrap();
        for (_, bytes) in made.thumbnails {
            assert_eq!(image::guess_format(&bytes).unwrap(), ImageFormat::Png);
            let pixel = image::load_from_memory(&bytes).unwrap().into_rgba8();
            assert_eq!(pixel.get_pixel(3, 3).0, [200, 0, 0, 10]);
        }
    }

    #[test]
    fn an_image_that_lies_on_its_side_is_turned() {
        let jpeg = written(&gradient(400, 200), ImageFormat::Jpeg);
        let made = make(&with_orientation(&jpeg, 6)).unwrap();
        assert_eq!((made.size.width, made.size.height), (200, 400));
        let (_, small) = &made.thumbnails[1];
        let small = image::load_from_memory(small).unwrap().into_rgb8();
        assert_eq!((small.width(), small.height()), (160, Size::Small.side()));
        // What was the left side, dark in red, is at the top.
        assert!(small.get_pixel(80, 4).0[0] < 40);
        assert!(small.get_pixel(80, 315).0[0] > 210);
    }

    #[test]
    fn hostile_bytes_give_none() {
        let png = written(&gradient(300, 300), ImageFormat::Png);
        assert!(make(b"").is_none());
        assert!(make(b"GIF89a").is_none());
        assert!(make(&png[..png.len() / 2]).is_none());
        // 60,000 times 60,000 pixels, by the header.
        let mut bomb = png.clone();
        bomb[16..24].copy_from_slice(&[0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60]);
        assert!(make(&bomb).is_none());
        for cut in 0..200 {
            let _some_or_none = make(&png[..cut]);
        }
    }
}

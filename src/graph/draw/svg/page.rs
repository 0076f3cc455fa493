//! Several figures on one page: the first at the left, the others in columns beside it.

use crate::graph::draw::layout::Point;

/// The free space between two figures.
const GAP: f64 = 26.0;

/// Pages are best about this many times as wide as high.
const PROPORTION: f64 = 1.3;

/// Where each figure is, with its header, and the size of all.
pub struct Page {
    pub places: Vec<Point>,
    pub width: f64,
    pub height: f64,
}

/// Finds a place for figures of these widths and heights, both with their headers.
pub fn arrange(sizes: &[(f64, f64)]) -> Page {
    let tallest = sizes.iter().map(|size| size.1).fold(0.0, f64::max);
    let all: f64 = sizes.iter().map(|size| size.1 + GAP).sum();
    // Columns as high as any number of figures one below the other might be.
    let steps = sizes.len().clamp(1, 40);
    let heights =
        (0..=steps).map(|step| tallest + (all - tallest).max(0.0) * step as f64 / steps as f64);
    let pages = heights.map(|height| columns(sizes, height));
    let badness = |page: &Page| {
        let proportion = page.width / page.height.max(1.0) / PROPORTION;
        let area = page.width * page.height;
        area * proportion.max(1.0 / proportion).sqrt()
    };
    pages
        .min_by(|one, other| badness(one).total_cmp(&badness(other)))
        .unwrap_or(Page {
            places: Vec::new(),
            width: 0.0,
            height: 0.0,
        })
}

/// Fills columns of this height from the left to the right.
fn columns(sizes: &[(f64, f64)], height: f64) -> Page {
    let mut page = Page {
        places: Vec::with_capacity(sizes.len()),
        width: 0.0,
        height: 0.0,
    };
    let (mut left, mut top, mut width) = (0.0_f64, 0.0_f64, 0.0_f64);
    for &(wide, high) in sizes {
        if top > 0.0 && top + high > height {
            left += width + GAP;
            (top, width) = (0.0, 0.0);
        }
        page.places.push(Point { x: left, y: top });
        width = width.max(wide);
        page.width = page.width.max(left + wide);
        page.height = page.height.max(top + high);
        top += high + GAP;
    }
    page
}

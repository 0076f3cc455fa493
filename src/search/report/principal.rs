//! Principal component analysis: points of many dimensions in the plane in which they differ most.

/// Points in the plane of their first two principal components.
#[derive(Clone, Debug, PartialEq)]
pub struct PrincipalComponents {
    /// The coordinates, a point each.
    pub points: Vec<[f64; 2]>,
    /// The shares of all variance that the two components explain.
    pub explained: [f64; 2],
}

/// How often a component is multiplied by the covariance at most.
const ITERATIONS: usize = 1000;

/// A component has been found when no coordinate moves further than this.
const STILL: f64 = 1e-10;

/// The first two principal components of `rows`, numbers of equal count each (Jolliffe, Principal
/// Component Analysis, 2002). Each is found by power iteration on the covariance, which is never
/// written down, and taken out of the points before the next. The same rows give the same components:
/// the iteration starts at the point farthest from the mean, and the largest coordinate of a component
/// is positive.
///
/// Points that are all equal are all at zero. Rows of different lengths are cut to the shortest.
pub fn principal_components(rows: &[&[f32]]) -> PrincipalComponents {
    let mut rest = centred(rows);
    let variance: f64 = rest.iter().flatten().map(|x| x * x).sum();
    let mut points = vec![[0.0; 2]; rows.len()];
    let mut explained = [0.0; 2];
    for axis in 0..2 {
        let Some(component) = component(&rest) else {
            break;
        };
        let mut along = 0.0;
        for (point, row) in points.iter_mut().zip(&mut rest) {
            let coordinate = dot(row, &component);
            point[axis] = coordinate;
            along += coordinate * coordinate;
            for (x, c) in row.iter_mut().zip(&component) {
                *x -= coordinate * c;
            }
        }
        explained[axis] = along / variance;
    }
    PrincipalComponents { points, explained }
}

/// The rows with their mean at zero.
fn centred(rows: &[&[f32]]) -> Vec<Vec<f64>> {
    let columns = rows.iter().map(|row| row.len()).min().unwrap_or(0);
    let mut mean = vec![0.0; columns];
    for row in rows {
        for (mean, &x) in mean.iter_mut().zip(*row) {
            *mean += f64::from(x) / rows.len() as f64;
        }
    }
    let centre = |row: &&[f32]| {
        let pairs = row.iter().zip(&mean);
        pairs.map(|(&x, mean)| f64::from(x) - mean).collect()
    };
    rows.iter().map(centre).collect()
}

/// The direction of length one along which the rows differ most; nothing if they do not differ.
fn component(rows: &[Vec<f64>]) -> Option<Vec<f64>> {
    let farthest = rows.iter().max_by(|a, b| dot(a, a).total_cmp(&dot(b, b)))?;
    let mut direction = unit(farthest.clone())?;
    for _ in 0..ITERATIONS {
        let mut next = vec![0.0; direction.len()];
        for row in rows {
            let along = dot(row, &direction);
            for (next, x) in next.iter_mut().zip(row) {
                *next += along * x;
            }
        }
        let next = unit(next)?;
        let moved = direction.iter().zip(&next).map(|(a, b)| (a - b).abs());
        let moved = moved.fold(0.0, f64::max);
        direction = next;
        if moved < STILL {
            break;
        }
    }
    let largest = direction
        .iter()
        .copied()
        .max_by(|a, b| a.abs().total_cmp(&b.abs()))?;
    Some(
        direction
            .into_iter()
            .map(|x| x * largest.signum())
            .collect(),
    )
}

/// The vector at length one, unless it is too short to have a direction.
fn unit(vector: Vec<f64>) -> Option<Vec<f64>> {
    /// Below it there is nothing but rounding of numbers that were `f32`.
    const SHORTEST: f64 = 1e-9;
    let length = dot(&vector, &vector).sqrt();
    (length > SHORTEST).then(|| vector.into_iter().map(|x| x / length).collect())
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

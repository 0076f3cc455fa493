//! Principal components, against what is known of them.

use rand::RngExt;
use snapc::search::report::principal_components;

use crate::fixture::generator;

fn rows(rows: &[Vec<f32>]) -> Vec<&[f32]> {
    rows.iter().map(Vec::as_slice).collect()
}

/// Checked with numpy: the eigenvalues of the covariance are 1.28402771 and 0.0490834 (the example of
/// Smith, A Tutorial on Principal Components Analysis, 2002).
#[test]
fn a_known_example() {
    let points = [
        [2.5, 2.4],
        [0.5, 0.7],
        [2.2, 2.9],
        [1.9, 2.2],
        [3.1, 3.0],
        [2.3, 2.7],
        [2.0, 1.6],
        [1.0, 1.1],
        [1.5, 1.6],
        [1.1, 0.9],
    ];
    let points = points.map(|point| point.to_vec());
    let components = principal_components(&rows(&points));
    let all = 1.28402771 + 0.0490834;
    assert!((components.explained[0] - 1.28402771 / all).abs() < 1e-6);
    assert!((components.explained[1] - 0.0490834 / all).abs() < 1e-6);
    let [first, second] = components.points[0];
    assert!((first - 0.82797019).abs() < 1e-6, "{first}");
    assert!((second.abs() - 0.17511531).abs() < 1e-6, "{second}");
}

#[test]
fn no_direction_has_more_variance_and_distances_in_a_plane_are_kept() {
    let mut rng = generator(5);
    let mut uniform =
        |count: usize| -> Vec<f32> { (0..count).map(|_| rng.random_range(-1.0..1.0)).collect() };
    // Points of a plane in ten dimensions.
    let axes = [uniform(10), uniform(10)];
    let points: Vec<Vec<f32>> = (0..30)
        .map(|_| {
            let at = uniform(2);
            let place = |i: usize| at[0] * axes[0][i] + 3.0 * at[1] * axes[1][i];
            (0..10).map(place).collect()
        })
        .collect();
    let components = principal_components(&rows(&points));
    assert!((components.explained[0] + components.explained[1] - 1.0).abs() < 1e-9);
    let distance = |a: &[f64], b: &[f64]| -> f64 {
        a.iter()
            .zip(b)
            .map(|(a, b)| (a - b).powi(2))
            .sum::<f64>()
            .sqrt()
    };
    let wide = |row: &[f32]| row.iter().map(|&x| f64::from(x)).collect::<Vec<f64>>();
    for i in 1..points.len() {
        let before = distance(&wide(&points[0]), &wide(&points[i]));
        let after = distance(&components.points[0], &components.points[i]);
        assert!((before - after).abs() < 1e-5);
    }
    let first: f64 = components.points.iter().map(|[x, _]| x * x).sum();
    let second: f64 = components.points.iter().map(|[_, y]| y * y).sum();
    let product: f64 = components.points.iter().map(|[x, y]| x * y).sum();
    assert!(first > second);
    assert!(
        product.abs() < 1e-6 * first,
        "the components are not correlated"
    );
}

#[test]
fn points_without_differences_are_all_at_zero() {
    let equal = vec![vec![3.0, 4.0]; 5];
    let components = principal_components(&rows(&equal));
    assert_eq!(components.points, vec![[0.0, 0.0]; 5]);
    assert_eq!(components.explained, [0.0, 0.0]);
    assert!(principal_components(&[]).points.is_empty());
    let one = principal_components(&[&[1.0]]);
    assert_eq!(one.points, [[0.0, 0.0]]);
    let line = vec![vec![1.0, 0.0], vec![3.0, 0.0]];
    let line = principal_components(&rows(&line));
    assert_eq!(line.points, [[-1.0, 0.0], [1.0, 0.0]]);
    assert_eq!(line.explained, [1.0, 0.0]);
}

//! Programs with many symmetries, and programs that only look as if they had.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use snapc::graph::{Graph, Laws, NodeId, canonicalise};

use crate::graphs::Builder;
use crate::graphs::random::{from_edges, shuffled};
use crate::{ALL, are_equal, check_form};

/// Checks that a graph equals copies of it under other numberings of its vertices, and that it
/// differs from another.
fn check_edges(vertices: usize, edges: &[(usize, usize)], other: &[(usize, usize)]) {
    let mut random = ChaCha8Rng::seed_from_u64(6);
    let key = canonicalise(&from_edges(vertices, edges), Laws::Real).key;
    for _ in 0..5 {
        let mut numbers: Vec<usize> = (0..vertices).collect();
        let mut edges = edges.to_vec();
        for index in (1..vertices).rev() {
            numbers.swap(index, random.random_range(0..=index));
        }
        for index in (1..edges.len()).rev() {
            edges.swap(index, random.random_range(0..=index));
        }
        for (left, right) in &mut edges {
            (*left, *right) = (numbers[*right], numbers[*left]);
        }
        assert_eq!(
            canonicalise(&from_edges(vertices, &edges), Laws::Real).key,
            key
        );
    }
    assert_ne!(
        canonicalise(&from_edges(vertices, other), Laws::Real).key,
        key
    );
}

fn cycle(first: usize, length: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..length).map(move |index| (first + index, first + (index + 1) % length))
}

#[test]
fn long_cycles_are_told_apart() {
    let one: Vec<_> = cycle(0, 300).collect();
    let two: Vec<_> = cycle(0, 150).chain(cycle(150, 150)).collect();
    check_edges(300, &one, &two);
    check_edges(300, &two, &one);
}

/// Graphs in which all vertices look alike to colours, and of which many do even after some are
/// chosen.
#[test]
fn regular_graphs_are_told_apart() {
    // The rook's graph and the Shrikhande graph: both strongly regular (16, 6, 2, 2).
    let place = |row: usize, column: usize| 4 * (row % 4) + column % 4;
    let cells = || (0..16).map(|index| (index / 4, index % 4));
    let rook: Vec<_> = cells()
        .flat_map(|(row, column)| {
            let along = (column + 1..4).map(move |other| (row, other));
            let across = (row + 1..4).map(move |other| (other, column));
            along
                .chain(across)
                .map(move |(other_row, other)| (place(row, column), place(other_row, other)))
        })
        .collect();
    let shrikhande: Vec<_> = cells()
        .flat_map(|(row, column)| {
            [(0, 1), (1, 0), (1, 1)]
                .map(|(down, right)| (place(row, column), place(row + down, column + right)))
        })
        .collect();
    check_edges(16, &rook, &shrikhande);
    check_edges(16, &shrikhande, &rook);

    // Hypercubes of dimension five, one with two parallel edges exchanged.
    let cube: Vec<_> = (0..32_usize)
        .flat_map(|vertex| (0..5).map(move |bit| (vertex, vertex ^ (1 << bit))))
        .filter(|(left, right)| left < right)
        .collect();
    let mut twisted = cube.clone();
    for edge in &mut twisted {
        *edge = match *edge {
            (0, 1) => (0, 3),
            (2, 3) => (1, 2),
            other => other,
        };
    }
    check_edges(32, &cube, &twisted);

    // Complete graphs, with and without a perfect matching.
    let complete: Vec<_> = (0..24)
        .flat_map(|left| (left + 1..24).map(move |right| (left, right)))
        .collect();
    let party: Vec<_> = complete
        .iter()
        .copied()
        .filter(|(left, right)| left / 2 != right / 2)
        .collect();
    check_edges(24, &complete, &party);
    check_edges(24, &party, &complete);
}

/// Branches in a sum of branches in a sum.
fn nested_twins(outer: usize, inner: usize, odd: bool) -> Graph {
    let (mut builder, input) = Builder::image();
    let branches: Vec<NodeId> = (0..outer)
        .map(|branch| {
            let convs: Vec<NodeId> = (0..inner)
                .map(|index| {
                    let is_odd = odd && branch == 7 && index == 9;
                    builder.conv(if is_odd { 1 } else { 3 }, input)
                })
                .collect();
            let sum = builder.add(&convs);
            builder.conv(3, sum)
        })
        .collect();
    let sum = builder.add(&branches);
    builder.finish(&[sum])
}

#[test]
fn twins_do_not_cost_a_factorial() {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let twins = nested_twins(32, 32, false);
    let odd = nested_twins(32, 32, true);
    for laws in ALL {
        assert!(!are_equal(&twins, &odd, laws));
        check_form(&twins, laws);
        check_form(&odd, laws);
    }
    for graph in [twins, odd] {
        assert!(are_equal(
            &graph,
            &shuffled(&graph, &mut random),
            Laws::Real
        ));
    }
}

/// Every sum is of all convolutions but one: tied in pairs, and connected.
#[test]
fn all_but_one_does_not_cost_a_factorial() {
    let all_but = |missing: &dyn Fn(usize) -> usize| {
        let (mut builder, input) = Builder::image();
        let convs: Vec<NodeId> = (0..40).map(|_| builder.conv(3, input)).collect();
        let sums: Vec<NodeId> = (0..40)
            .map(|index| {
                let mut terms = convs.clone();
                terms.remove(missing(index));
                let sum = builder.add(&terms);
                builder.conv(1, sum)
            })
            .collect();
        let sum = builder.add(&sums);
        builder.finish(&[sum])
    };
    let straight = all_but(&|index| index);
    let rotated = all_but(&|index| (index + 17) % 40);
    let doubled = all_but(&|index| index.max(1));
    assert!(are_equal(&straight, &rotated, Laws::Real));
    assert!(!are_equal(&straight, &doubled, Laws::Real));
}

/// A cubic graph with a gadget for every vertex that passes on twists, after Cai, Fürer and
/// Immerman (1992): with and without one twist, refinement by any few colours tells nothing.
fn gadgets(size: usize, is_twisted: bool) -> (usize, Vec<(usize, usize)>) {
    let around = (0..size).map(|vertex| (vertex, (vertex + 1) % size));
    let across = (0..size / 2).map(|vertex| (vertex, vertex + size / 2));
    let base: Vec<(usize, usize)> = around.chain(across).collect();
    let end = |edge: usize, second: bool, side: usize| 4 * edge + 2 * usize::from(second) + side;
    let mut count = 4 * base.len();
    let mut edges = Vec::new();
    for vertex in 0..size {
        let incident: Vec<(usize, bool)> = base
            .iter()
            .enumerate()
            .filter(|(_, (left, right))| *left == vertex || *right == vertex)
            .map(|(edge, (_, right))| (edge, *right == vertex))
            .collect();
        for sides in [[0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0]] {
            for ((edge, second), side) in incident.iter().zip(sides) {
                edges.push((count, end(*edge, *second, side)));
            }
            count += 1;
        }
    }
    for edge in 0..base.len() {
        let twist = usize::from(is_twisted && edge == 0);
        for side in 0..2 {
            edges.push((end(edge, false, side), end(edge, true, side ^ twist)));
        }
    }
    (count, edges)
}

#[test]
fn twisted_gadgets_are_told_apart() {
    let (count, straight) = gadgets(6, false);
    let (_, twisted) = gadgets(6, true);
    check_edges(count, &straight, &twisted);
    check_edges(count, &twisted, &straight);
}

/// Points and lines of the projective plane over a prime field: so symmetric that any four points
/// in general position can be mapped to any other.
#[test]
fn projective_planes_are_quick() {
    let prime = 5;
    let points: Vec<[usize; 3]> = (0..prime * prime * prime)
        .map(|number| {
            [
                number / prime / prime,
                number / prime % prime,
                number % prime,
            ]
        })
        .filter(|point| point.iter().find(|part| **part > 0) == Some(&1))
        .collect();
    let count = points.len();
    let lies_on = |point: usize, line: usize| {
        let products = (0..3).map(|axis| points[point][axis] * points[line][axis]);
        products.sum::<usize>() % prime == 0
    };
    let pairs = (0..count).flat_map(|point| (0..count).map(move |line| (point, line)));
    let plane: Vec<_> = pairs
        .filter(|(point, line)| lies_on(*point, *line))
        .map(|(point, line)| (point, count + line))
        .collect();
    let mut broken = plane.clone();
    broken[0].1 = broken[count].1;
    check_edges(2 * count, &plane, &broken);
}

/// No symmetry at all, but colours tell nothing and every vertex has to be tried.
#[test]
fn random_regular_graphs_are_quick() {
    let mut random = ChaCha8Rng::seed_from_u64(8);
    let mut draw = || {
        let mut ends: Vec<usize> = (0..600).map(|end| end / 3).collect();
        for index in (1..ends.len()).rev() {
            ends.swap(index, random.random_range(0..=index));
        }
        let pairs = ends.chunks_exact(2);
        pairs.map(|pair| (pair[0], pair[1])).collect::<Vec<_>>()
    };
    check_edges(200, &draw(), &draw());
}

/// Cells of a Latin square, joined if they agree in row, column or symbol.
fn latin_square(size: usize, symbol: &dyn Fn(usize, usize) -> usize) -> Vec<(usize, usize)> {
    let cells = size * size;
    let agree = |left: usize, right: usize| {
        let properties = |cell: usize| {
            let (row, column) = (cell / size, cell % size);
            [row, column, symbol(row, column)]
        };
        let pairs = properties(left).into_iter().zip(properties(right));
        pairs.into_iter().any(|(left, right)| left == right)
    };
    let pairs = (0..cells).flat_map(|left| (left + 1..cells).map(move |right| (left, right)));
    pairs.filter(|(left, right)| agree(*left, *right)).collect()
}

/// The tables of groups of equal size: strongly regular graphs with the same parameters, in which
/// choices that look alike at first turn out not to be.
#[test]
fn groups_are_told_apart() {
    let cyclic = latin_square(8, &|row, column| (row + column) % 8);
    let elementary = latin_square(8, &|row, column| row ^ column);
    check_edges(64, &cyclic, &elementary);
    let cyclic = latin_square(6, &|row, column| (row + column) % 6);
    // Symmetries of the triangle: a rotation, and whether it is turned over.
    let symmetric = latin_square(6, &|row, column| {
        let (rotation, flip) = (row % 3, row / 3);
        let turned = match flip {
            0 => column % 3,
            _ => 3 - column % 3,
        };
        (rotation + turned) % 3 + 3 * (flip ^ (column / 3))
    });
    check_edges(36, &symmetric, &cyclic);
    // Four cells exchanged: no group any more, so that not all vertices are alike.
    let exchanged = latin_square(6, &|row, column| match (row, column) {
        (0 | 3, 0 | 3) => (row + column + 3) % 6,
        _ => (row + column) % 6,
    });
    check_edges(36, &exchanged, &cyclic);
}

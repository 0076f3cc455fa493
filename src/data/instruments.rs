//! Drawn X-ray images of a surgical instrument, of which the pose is to be told: a regression that comes with the program.
//!
//! The method of this program was made for such a task, on images that nobody may give away (Kügler et al.,
//! MICCAI 2020). These are no X-ray images but drawings with what makes those hard: a rod with a head absorbs part of
//! the light, in front of bones of any shape and brightness, with noise and a field that is not evenly lit. Nothing that is
//! measured on them says anything about patients.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::task::Targets;
use super::{ImageSet, Task};

const IMAGES: usize = 2000;
const SIDE: usize = 32;
const SEED: u64 = 0x1A57;

/// Half the length of the rod and half its width, in pixels.
const ROD: [f64; 2] = [8.0, 1.1];
/// Half the length of the head and half its width.
const HEAD: [f64; 2] = [1.5, 2.6];
/// How far the centre of the rod may be from the centre of the image, along each axis.
const FARTHEST: f64 = 7.0;
/// The tangent of half the largest angle, which is 80 degrees.
const STEEPEST: f64 = 0.839_099_631_177_28;

/// The images, always the same 2,000: shape `[1, 32, 32]`, the quantities `x` and `y`, where the centre of the rod
/// lies from that of the image in pixels to the right and down, and `angle`, by how many degrees its head is turned
/// from the right downwards, at most 80 either way. No official test part.
pub fn draw() -> ImageSet {
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let mut pixels = Vec::with_capacity(IMAGES * SIDE * SIDE);
    let mut values = Vec::with_capacity(IMAGES * 3);
    for _ in 0..IMAGES {
        let pose = Pose::random(&mut random);
        let scene = Scene::random(&mut random);
        for place in 0..SIDE * SIDE {
            let at = |number: usize| number as f64 - (SIDE as f64 - 1.0) / 2.0;
            let (x, y) = (at(place % SIDE), at(place / SIDE));
            let light = scene.light(x, y) * (1.0 - 0.75 * pose.cover(x, y));
            let noise = random.random_range(-1.0..1.0) + random.random_range(-1.0..1.0);
            pixels.push(((light + 0.05 * noise) * 255.0).clamp(0.0, 255.0) as u8);
        }
        values.extend([pose.x, pose.y, pose.angle()].map(|it| it as f32));
    }
    ImageSet {
        name: "instruments".into(),
        shape: [1, SIDE, SIDE],
        task: Task::Quantities(["x", "y", "angle"].map(str::to_owned).to_vec()),
        pixels,
        maximum: u8::MAX,
        targets: Targets::Quantities(values),
        test: None,
    }
}

/// Where the instrument lies.
struct Pose {
    x: f64,
    y: f64,
    /// The tangent of half the angle: sine and cosine follow from it by fractions alone, which are the same to the last
    /// bit on every machine.
    half: f64,
}

impl Pose {
    fn random(random: &mut ChaCha8Rng) -> Self {
        Self {
            x: random.random_range(-FARTHEST..FARTHEST),
            y: random.random_range(-FARTHEST..FARTHEST),
            half: random.random_range(-STEEPEST..STEEPEST),
        }
    }

    /// In degrees.
    fn angle(&self) -> f64 {
        2.0 * self.half.atan().to_degrees()
    }

    /// The share of a pixel that the instrument covers, nearly.
    fn cover(&self, x: f64, y: f64) -> f64 {
        let scale = 1.0 / (1.0 + self.half * self.half);
        let (cosine, sine) = (
            (1.0 - self.half * self.half) * scale,
            2.0 * self.half * scale,
        );
        let (x, y) = (x - self.x, y - self.y);
        let (along, across) = (x * cosine + y * sine, y * cosine - x * sine);
        let box_cover = |[length, width]: [f64; 2], along: f64| {
            let inside = |half: f64, place: f64| (half + 0.5 - place.abs()).clamp(0.0, 1.0);
            inside(length, along) * inside(width, across)
        };
        box_cover(ROD, along).max(box_cover(HEAD, along - ROD[0]))
    }
}

/// What is behind the instrument.
struct Scene {
    brightness: f64,
    /// How much brighter it is a pixel further to the right and down.
    slope: [f64; 2],
    bones: [Bone; 3],
}

/// An ellipse that absorbs light, less towards its edge.
struct Bone {
    centre: [f64; 2],
    /// The inverse of its half axes.
    narrowness: [f64; 2],
    density: f64,
}

impl Scene {
    fn random(random: &mut ChaCha8Rng) -> Self {
        let mut bone = || Bone {
            centre: [(); 2].map(|()| random.random_range(-18.0..18.0)),
            narrowness: [(); 2].map(|()| 1.0 / random.random_range(4.0..14.0)),
            density: random.random_range(0.0..0.5),
        };
        let bones = [bone(), bone(), bone()];
        Self {
            brightness: random.random_range(0.55..0.95),
            slope: [(); 2].map(|()| random.random_range(-0.008..0.008)),
            bones,
        }
    }

    fn light(&self, x: f64, y: f64) -> f64 {
        let field = self.brightness + self.slope[0] * x + self.slope[1] * y;
        self.bones.iter().fold(field, |light, bone| {
            let away =
                |axis: usize, place: f64| (place - bone.centre[axis]) * bone.narrowness[axis];
            let (right, down) = (away(0, x), away(1, y));
            let inside = (1.0 - right * right - down * down).max(0.0);
            light * (1.0 - bone.density * inside)
        })
    }
}

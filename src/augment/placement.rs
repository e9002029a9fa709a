//! Where the pixels of a result lie in the picture that they come from: one affine map for all geometry, so that a picture
//! is resampled once.

/// The map from a pixel (x, y) of the result to a place in the picture, both counted from the centre of the first pixel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Placement {
    /// x = x[0] * column + x[1] * row + x[2].
    x: [f64; 3],
    /// y likewise.
    y: [f64; 3],
}

impl Placement {
    /// Every pixel where it is.
    pub const IDENTITY: Self = Self { x: [1.0, 0.0, 0.0], y: [0.0, 1.0, 0.0] };

    /// The place of column `x` and row `y`.
    #[must_use]
    pub fn at(&self, x: f64, y: f64) -> (f64, f64) {
        (self.x[0] * x + self.x[1] * y + self.x[2], self.y[0] * x + self.y[1] * y + self.y[2])
    }

    /// Where a row begins: the place of its first pixel is `[a, b]` as a times the row plus b, for x and for y.
    #[must_use]
    pub fn rows(&self) -> [[f64; 2]; 2] {
        [self.x, self.y].map(|[_, row, first]| [row, first])
    }

    /// How far the place moves from one column to the next.
    #[must_use]
    pub fn step(&self) -> (f64, f64) {
        (self.x[0], self.y[0])
    }

    /// Moves the places by `by` (x, y) pixels.
    #[must_use]
    pub fn then_shift(mut self, by: [f64; 2]) -> Self {
        self.x[2] += by[0];
        self.y[2] += by[1];
        self
    }

    /// Multiplies the distances of the places from `centre`.
    #[must_use]
    pub fn then_scale(self, centre: [f64; 2], factor: [f64; 2]) -> Self {
        let about = |line: [f64; 3], axis: usize| {
            let [a, b, c] = line.map(|n| n * factor[axis]);
            [a, b, c + centre[axis] * (1.0 - factor[axis])]
        };
        Self { x: about(self.x, 0), y: about(self.y, 1) }
    }

    /// Turns the places counter-clockwise, as seen on a screen with y downwards, about `centre`. (The picture then appears
    /// turned the other way.)
    #[must_use]
    pub fn then_turn(self, centre: [f64; 2], degrees: f64) -> Self {
        if degrees == 0.0 {
            return self;
        }
        let (sin, cos) = degrees.to_radians().sin_cos();
        let moved = self.then_shift(centre.map(|c| -c));
        let mix = |a: f64, b: f64| [0, 1, 2].map(|i| a * moved.x[i] + b * moved.y[i]);
        Self { x: mix(cos, sin), y: mix(-sin, cos) }.then_shift(centre)
    }

    /// From the pixels of a picture of size `from` (width, height) to those of one of size `to` that shows the same.
    #[must_use]
    pub fn then_resize(self, from: [f64; 2], to: [f64; 2]) -> Self {
        let factor = [to[0] / from[0], to[1] / from[1]];
        self.then_shift([0.5; 2]).then_scale([0.0; 2], factor).then_shift([-0.5; 2])
    }

    /// Mirrors a picture of `width` pixels left to right, if `flip`.
    #[must_use]
    pub fn then_flip(self, flip: bool, width: f64) -> Self {
        if flip { self.then_scale([(width - 1.0) / 2.0, 0.0], [-1.0, 1.0]) } else { self }
    }
}

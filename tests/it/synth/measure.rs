//! How astronomers measure galaxies in pictures, for the tests: moments, asymmetry, spiral Fourier components.

use std::f64::consts::TAU;

use tuning_fork::imaging::Image;

/// The middle value.
pub fn median(values: Vec<f64>) -> f64 {
    quantile(values, 0.5)
}

/// The value that a `share` of the values stays below.
pub fn quantile(mut values: Vec<f64>, share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    values[((values.len() - 1) as f64 * share).round() as usize]
}

/// Brightness above the sky of a square picture.
pub struct Picture {
    size: usize,
    light: Vec<f64>,
}

impl Picture {
    pub fn new(image: &Image) -> Self {
        let grey: Vec<f64> = image.pixels().chunks_exact(3).map(|p| p.iter().map(|&v| f64::from(v)).sum::<f64>() / 3.0).collect();
        let sky = median(grey.clone());
        Self { size: image.width(), light: grey.into_iter().map(|v| v - sky).collect() }
    }

    /// Mean over blocks of `n` x `n` pixels.
    pub fn binned(&self, n: usize) -> Self {
        let size = self.size / n;
        let mut light = vec![0.0; size * size];
        for (i, &value) in self.light.iter().enumerate() {
            light[i / self.size / n * size + i % self.size / n] += value / (n * n) as f64;
        }
        Self { size, light }
    }

    /// Pearson's correlation with a picture of the same size.
    pub fn correlation(&self, other: &Self) -> f64 {
        let n = self.light.len() as f64;
        let mean = |p: &Self| p.light.iter().sum::<f64>() / n;
        let (a, b) = (mean(self), mean(other));
        let product = |p: &Self, pm: f64, q: &Self, qm: f64| p.light.iter().zip(&q.light).map(|(x, y)| (x - pm) * (y - qm)).sum::<f64>();
        product(self, a, other, b) / (product(self, a, self, a) * product(other, b, other, b)).sqrt()
    }

    fn at(&self, row: usize, column: usize) -> f64 {
        self.light[row * self.size + column]
    }

    /// The connected bright pixels around the middle: a galaxy without most of its neighbours.
    fn galaxy(&self) -> Vec<usize> {
        let threshold = 25.0;
        let middle = self.size / 2;
        let mut seen = vec![false; self.light.len()];
        let mut open: Vec<usize> = Vec::new();
        for row in middle - 2..=middle + 2 {
            for column in middle - 2..=middle + 2 {
                open.push(row * self.size + column);
            }
        }
        let mut found = Vec::new();
        while let Some(i) = open.pop() {
            if std::mem::replace(&mut seen[i], true) || self.light[i] < threshold {
                continue;
            }
            found.push(i);
            let (row, column) = (i / self.size, i % self.size);
            let near = |v: usize| v.saturating_sub(1)..=(v + 1).min(self.size - 1);
            open.extend(near(row).flat_map(|r| near(column).map(move |c| (r, c))).map(|(r, c)| r * self.size + c));
        }
        found
    }

    /// Minor over major axis of the galaxy in the middle, and the angle of the major axis in radians, from second moments.
    fn ellipse(&self) -> (f64, f64) {
        let galaxy = self.galaxy();
        let total: f64 = galaxy.iter().map(|&i| self.light[i]).sum();
        let place = |i: usize| ((i % self.size) as f64, (i / self.size) as f64);
        let mean = |f: &dyn Fn(f64, f64) -> f64| galaxy.iter().map(|&i| self.light[i] * f(place(i).0, place(i).1)).sum::<f64>() / total;
        let (cx, cy) = (mean(&|x, _| x), mean(&|_, y| y));
        let (xx, yy, xy) = (mean(&|x, _| (x - cx).powi(2)), mean(&|_, y| (y - cy).powi(2)), mean(&|x, y| (x - cx) * (y - cy)));
        let (trace, split) = (xx + yy, ((xx - yy).powi(2) + 4.0 * xy * xy).sqrt());
        (((trace - split) / (trace + split)).max(0.0).sqrt(), (2.0 * xy).atan2(xx - yy) / 2.0)
    }

    /// Minor over major axis of the galaxy in the middle.
    pub fn axis_ratio(&self) -> f64 {
        self.ellipse().0
    }

    /// Conselice's (1997) asymmetry of the galaxy: its difference from itself turned by 180 degrees about its brightest
    /// part, over its light.
    pub fn asymmetry(&self) -> f64 {
        let galaxy = self.galaxy();
        let total: f64 = galaxy.iter().map(|&i| self.light[i]).sum();
        let size = self.size.cast_signed();
        let middle = size / 2;
        let difference = |cx: isize, cy: isize| {
            let turned = |i: usize| {
                let i = i.cast_signed();
                let (row, column) = (2 * cy - i / size, 2 * cx - i % size);
                let inside = |v: isize| (0..size).contains(&v);
                if inside(row) && inside(column) { self.at(row.cast_unsigned(), column.cast_unsigned()) } else { 0.0 }
            };
            galaxy.iter().map(|&i| (self.light[i] - turned(i)).abs()).sum::<f64>() / total
        };
        // the centre is where the asymmetry is least
        (-4..=4).flat_map(|y| (-4..=4).map(move |x| (x, y))).map(|(x, y)| difference(middle + x, middle + y)).fold(f64::MAX, f64::min)
    }

    /// Pitch in degrees and power of the strongest logarithmic spiral of two to four arms between 3.5 and 13 arcsec from
    /// the middle, after turning the galaxy face-on (Puerari & Dottori 1992); 45 degrees stands for no winding at all.
    pub fn spiral(&self) -> (f64, f64) {
        let samples = self.face_on_rings();
        let amplitude = |arms: f64, cotangent: f64| {
            let phase = |log_r: f64, azimuth: f64| arms * (azimuth + cotangent * log_r);
            let sum = |f: fn(f64) -> f64| samples.iter().map(|&(log_r, azimuth, v)| v * f(phase(log_r, azimuth))).sum::<f64>();
            sum(f64::cos).hypot(sum(f64::sin)) / samples.len() as f64
        };
        let mut best = (0.0, 0.0);
        for arms in [2.0, 3.0, 4.0] {
            for cotangent in (4..=40).map(|i| 0.25 * f64::from(i)).flat_map(|c| [c, -c]) {
                let power = amplitude(arms, cotangent);
                if power > best.1 {
                    best = ((1.0 / cotangent.abs()).atan().to_degrees(), power);
                }
            }
        }
        best
    }

    /// Logarithm of the radius in arcsec, azimuth, and light above the mean of the ring.
    fn face_on_rings(&self) -> Vec<(f64, f64, f64)> {
        let (axis_ratio, angle) = self.ellipse();
        let axis_ratio = axis_ratio.max(0.4);
        let pixels = self.size as f64 / 67.072;
        let middle = (self.size as f64 - 1.0) / 2.0;
        let (rings, spokes) = (24, 72);
        let mut samples = Vec::new();
        for ring in 0..rings {
            let log_r = 3.5f64.ln() + (13.0 / 3.5f64).ln() * f64::from(ring) / f64::from(rings - 1);
            let azimuths = (0..spokes).map(|s| TAU * f64::from(s) / f64::from(spokes));
            let ring: Vec<(f64, f64)> = azimuths
                .map(|azimuth| {
                    let (u, v) = (log_r.exp() * azimuth.cos(), log_r.exp() * azimuth.sin() * axis_ratio);
                    let (x, y) = (angle.cos() * u - angle.sin() * v, angle.sin() * u + angle.cos() * v);
                    let pixel = |offset: f64| (middle + pixels * offset).round() as usize;
                    (azimuth, self.at(pixel(y), pixel(x)).clamp(-10.0, 150.0))
                })
                .collect();
            let mean = ring.iter().map(|r| r.1).sum::<f64>() / ring.len() as f64;
            samples.extend(ring.into_iter().map(|(azimuth, v)| (log_r, azimuth, v - mean)));
        }
        samples
    }

    /// Separate bright peaks within 9 arcsec of the middle, each at least two thirds as bright (as shown) as the brightest.
    pub fn nuclei(&self) -> usize {
        let size = self.size as f64;
        let (middle, reach) = ((size - 1.0) / 2.0, 9.0 * size / 67.072);
        let apart = (1.6 * size / 67.072).round() as isize;
        let inside = |row: usize, column: usize| (row as f64 - middle).hypot(column as f64 - middle) < reach;
        let brightest = (0..self.light.len()).filter(|i| inside(i / self.size, i % self.size)).map(|i| self.light[i]).fold(0.0, f64::max);
        let mut peaks = 0;
        for row in 0..self.size {
            for column in 0..self.size {
                let value = self.at(row, column);
                if !inside(row, column) || value < 0.66 * brightest {
                    continue;
                }
                let higher = (-apart..=apart).flat_map(|y| (-apart..=apart).map(move |x| (x, y))).any(|(x, y)| {
                    let other = self.at(row.strict_add_signed(y), column.strict_add_signed(x));
                    other > value || ((other - value).abs() < 1e-9 && (y, x) < (0, 0))
                });
                peaks += usize::from(!higher);
            }
        }
        peaks
    }
}

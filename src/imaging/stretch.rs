//! From measured numbers to grey levels, as in ds9 and `astropy.visualization`: an interval of numbers, and a curve over it.
//! And the Legacy Survey's colours from three bands.

/// Which numbers become black and white.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Interval {
    /// The smallest and the largest (`MinMaxInterval`).
    MinMax,
    /// So that this percentage of all numbers lies between, as much below as above (`PercentileInterval`).
    Percentile(f64),
    /// IRAF's zscale with its usual contrast of 0.25 (`ZScaleInterval`).
    ZScale,
}

/// The curve from black to white.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Curve {
    /// y = x.
    Linear,
    /// y = log(1000 x + 1) / log(1001) (`LogStretch`, ds9's log).
    Log,
    /// y = sqrt(x) (`SqrtStretch`).
    Sqrt,
    /// y = asinh(x / 0.1) / asinh(10) (`AsinhStretch`, ds9's asinh).
    #[default]
    Asinh,
}

/// An interval and a curve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stretch {
    /// Which numbers become black and white.
    pub interval: Interval,
    /// The curve between.
    pub curve: Curve,
}

impl Default for Stretch {
    fn default() -> Self {
        Self { interval: Interval::Percentile(99.5), curve: Curve::default() }
    }
}

impl Curve {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Linear, Self::Log, Self::Sqrt, Self::Asinh];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Linear => "linear",
            Self::Log => "log",
            Self::Sqrt => "sqrt",
            Self::Asinh => "asinh",
        }
    }

    /// 0..1 to 0..1.
    #[must_use]
    pub fn apply(self, x: f64) -> f64 {
        match self {
            Self::Linear => x,
            Self::Log => (1000.0 * x).ln_1p() / 1001f64.ln(),
            Self::Sqrt => x.sqrt(),
            Self::Asinh => (x / 0.1).asinh() / 10f64.asinh(),
        }
    }
}

impl std::str::FromStr for Curve {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = || Self::ALL.map(Self::name).join(", ");
        Self::ALL.into_iter().find(|curve| curve.name() == text).ok_or_else(|| format!("there is no stretch {text}; there are {}", known()))
    }
}

impl std::str::FromStr for Interval {
    type Err = String;

    /// "minmax", "zscale", or a percentage.
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "minmax" => Ok(Self::MinMax),
            "zscale" => Ok(Self::ZScale),
            _ => match text.trim_end_matches('%').parse() {
                Ok(percent) if percent > 0.0 && percent <= 100.0 => Ok(Self::Percentile(percent)),
                _ => Err(format!("{text} is no interval; give minmax, zscale or a percentage such as 99.5")),
            },
        }
    }
}

impl Interval {
    /// The numbers that become black and white; those that are not finite are not counted. (0, 0) if none is finite.
    #[must_use]
    pub fn limits(self, values: &[f32]) -> (f64, f64) {
        let mut finite: Vec<f64> = values.iter().filter(|v| v.is_finite()).map(|&v| f64::from(v)).collect();
        if finite.is_empty() {
            return (0.0, 0.0);
        }
        match self {
            Self::MinMax => finite.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &v| (low.min(v), high.max(v))),
            Self::Percentile(percent) => {
                let outside = (100.0 - percent.clamp(0.0, 100.0)) / 200.0;
                (quantile(&mut finite, outside), quantile(&mut finite, 1.0 - outside))
            }
            Self::ZScale => zscale(&finite),
        }
    }
}

impl Stretch {
    /// Numbers to grey levels; what is not finite is black, and so is everything where all numbers are the same.
    #[must_use]
    pub fn levels(&self, values: &[f32]) -> Vec<u8> {
        let (low, high) = self.interval.limits(values);
        let span = high - low;
        let level = |value: f32| {
            if !value.is_finite() || span <= 0.0 {
                return 0;
            }
            let x = ((f64::from(value) - low) / span).clamp(0.0, 1.0);
            (self.curve.apply(x) * 255.0).round() as u8
        };
        values.iter().map(|&value| level(value)).collect()
    }
}

/// The value below which `share` of the numbers lie, linear between neighbours, as `numpy.quantile`.
fn quantile(values: &mut [f64], share: f64) -> f64 {
    let at = share * (values.len() - 1) as f64;
    let below = at as usize;
    let (_, &mut first, rest) = values.select_nth_unstable_by(below, f64::total_cmp);
    let next = rest.iter().copied().min_by(f64::total_cmp).unwrap_or(first);
    first + (next - first) * (at - below as f64)
}

/// IRAF's zscale as astropy has it: a line is fitted to about a thousand sorted samples, outliers are rejected, and its slope over
/// the contrast gives the interval around the median.
fn zscale(values: &[f64]) -> (f64, f64) {
    const SAMPLES: usize = 1000;
    const CONTRAST: f64 = 0.25;
    const MOST_REJECTED: f64 = 0.5;
    const LEAST_PIXELS: usize = 5;
    const SIGMAS: f64 = 2.5;
    const ITERATIONS: usize = 5;
    let stride = (values.len() / SAMPLES).max(1);
    let mut samples: Vec<f64> = values.iter().step_by(stride).take(SAMPLES).copied().collect();
    samples.sort_by(f64::total_cmp);
    let n = samples.len();
    let (lowest, highest) = (samples[0], samples[n - 1]);
    let least = LEAST_PIXELS.max((n as f64 * MOST_REJECTED) as usize);
    let grow = ((n as f64 * 0.01) as usize).max(1);
    let mut bad = vec![false; n];
    let (mut good, mut last_good) = (n, n + 1);
    let mut slope = 0.0;
    for _ in 0..ITERATIONS {
        if good >= last_good || good < least {
            break;
        }
        let line = fit(&samples, &bad);
        slope = line.0;
        let flat: Vec<f64> = samples.iter().enumerate().map(|(x, y)| y - (line.0 * x as f64 + line.1)).collect();
        let threshold = SIGMAS * deviation(&flat, &bad);
        for (bad, flat) in bad.iter_mut().zip(&flat) {
            *bad |= flat.abs() > threshold;
        }
        // every rejected sample takes its neighbours with it
        let (before, after) = (grow - 1 - (grow - 1) / 2, (grow - 1) / 2);
        bad = (0..n).map(|i| bad[i.saturating_sub(before)..(i + after + 1).min(n)].contains(&true)).collect();
        last_good = good;
        good = bad.iter().filter(|bad| !**bad).count();
    }
    if good < least {
        return (lowest, highest);
    }
    let slope = slope / CONTRAST;
    let centre = ((n - 1) / 2) as f64;
    let median = if n % 2 == 1 { samples[n / 2] } else { f64::midpoint(samples[n / 2 - 1], samples[n / 2]) };
    (lowest.max(median - (centre - 1.0) * slope), highest.min(median + (n as f64 - centre) * slope))
}

/// Slope and offset of the line through the samples that are not bad.
fn fit(samples: &[f64], bad: &[bool]) -> (f64, f64) {
    let used = || samples.iter().enumerate().zip(bad).filter(|(_, bad)| !**bad).map(|((x, &y), _)| (x as f64, y));
    let n = used().count().max(1) as f64;
    let (mx, my) = (used().map(|(x, _)| x).sum::<f64>() / n, used().map(|(_, y)| y).sum::<f64>() / n);
    let (sxy, sxx) = used().fold((0.0, 0.0), |(sxy, sxx), (x, y)| (sxy + (x - mx) * (y - my), sxx + (x - mx) * (x - mx)));
    let slope = if sxx > 0.0 { sxy / sxx } else { 0.0 };
    (slope, my - slope * mx)
}

/// The standard deviation of the samples that are not bad.
fn deviation(values: &[f64], bad: &[bool]) -> f64 {
    let used = || values.iter().zip(bad).filter(|(_, bad)| !**bad).map(|(v, _)| *v);
    let n = used().count().max(1) as f64;
    let mean = used().sum::<f64>() / n;
    (used().map(|v| (v - mean) * (v - mean)).sum::<f64>() / n).sqrt()
}

/// RGB bytes from g, r and z in nanomaggies by Lupton et al. (2004, PASP 116, 133) with the Legacy Surveys' scales (g 6.0, r 3.4,
/// z 2.2, softening 0.03, Q 20): the colours of the sky viewer's DECaLS pictures, and so of Galaxy10. z is red, g is blue.
/// What is not finite counts as 0.
#[must_use]
pub fn legacy_rgb([g, r, z]: [&[f32]; 3]) -> Vec<u8> {
    const Q: f64 = 20.0;
    const SOFTENING: f64 = 0.03;
    let scaled = |value: f32, scale: f64| (if value.is_finite() { f64::from(value) } else { 0.0 }) * scale + SOFTENING;
    let pixel = |((&g, &r), &z): ((&f32, &f32), &f32)| {
        let [red, green, blue] = [scaled(z, 2.2), scaled(r, 3.4), scaled(g, 6.0)];
        let intensity = (red.max(0.0) + green.max(0.0) + blue.max(0.0)) / 3.0;
        let compressed = (Q * intensity).asinh() / Q.sqrt();
        let factor = compressed / if intensity == 0.0 { 1e-6 } else { intensity };
        [red, green, blue].map(|value| ((value * factor).clamp(0.0, 1.0) * 255.0).round() as u8)
    };
    g.iter().zip(r).zip(z).flat_map(pixel).collect()
}

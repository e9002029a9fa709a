//! Student's t distribution, for means of few numbers.

/// The upper 97.5 % quantile of Student's t distribution (Student 1908) with `freedom` degrees of freedom, which need not be
/// whole: the factor of a two-sided 95 % interval. NaN without a positive number of degrees.
#[must_use]
pub fn student_t_975(freedom: f64) -> f64 {
    if freedom.is_nan() || freedom <= 0.0 {
        return f64::NAN;
    }
    if freedom > 1e5 {
        // the expansion in powers of 1/freedom (Abramowitz & Stegun 26.7.5), where differences of large logarithms lose digits
        const Z: f64 = 1.959_963_984_540_054;
        let (z3, z5) = (Z.powi(3), Z.powi(5));
        return Z + (z3 + Z) / (4.0 * freedom) + (5.0 * z5 + 16.0 * z3 + 3.0 * Z) / (96.0 * freedom * freedom);
    }
    // both tails together hold 5 %; what they hold falls with t, so halving the bracket finds it
    let (mut low, mut high) = (0.0, 1.0);
    while tails(high, freedom) > 0.05 && high < 1e300 {
        (low, high) = (high, high * 2.0);
    }
    for _ in 0..200 {
        let middle = f64::midpoint(low, high);
        if tails(middle, freedom) > 0.05 {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

/// The probability of more than `t` away from zero.
fn tails(t: f64, freedom: f64) -> f64 {
    incomplete_beta(freedom / 2.0, 0.5, freedom / (freedom + t * t))
}

/// The regularised incomplete beta function `I_x(a, b)` (Abramowitz & Stegun 26.5.8), by its continued fraction.
fn incomplete_beta(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return if x <= 0.0 { 0.0 } else { 1.0 };
    }
    let log = libm::lgamma(a + b) - libm::lgamma(a) - libm::lgamma(b) + a * x.ln() + b * (-x).ln_1p();
    // the fraction converges fast on this side of the mean only
    if x < (a + 1.0) / (a + b + 2.0) { log.exp() * fraction(a, b, x) / a } else { 1.0 - log.exp() * fraction(b, a, 1.0 - x) / b }
}

/// The continued fraction, forwards (Lentz 1976).
fn fraction(a: f64, b: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let away = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / away(1.0 - (a + b) * x / (a + 1.0));
    let mut value = d;
    for m in 1..=10_000 {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let mut change = 1.0;
        for term in [even, odd] {
            d = 1.0 / away(1.0 + term * d);
            c = away(1.0 + term / c);
            change = c * d;
            value *= change;
        }
        if (change - 1.0).abs() < 1e-15 {
            break;
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_scipy() {
        // scipy.stats.t.ppf(0.975, freedom), scipy 1.17
        for (freedom, quantile) in [
            (1.0, 12.706_204_736),
            (1.5, 6.016_663_104),
            (2.0, 4.302_652_729),
            (3.7, 2.867_520_707),
            (5.0, 2.570_581_835),
            (10.0, 2.228_138_851),
            (29.5, 2.043_724_966),
            (100.0, 1.983_971_518),
            (12_345.0, 1.960_156_167),
            (1e9, 1.959_963_986),
        ] {
            let ours = student_t_975(freedom);
            assert!((ours / quantile - 1.0).abs() < 1e-8, "{freedom}: {ours} instead of {quantile}");
        }
        assert!(student_t_975(0.0).is_nan() && student_t_975(f64::NAN).is_nan());
    }
}

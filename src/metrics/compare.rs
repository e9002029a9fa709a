//! Two classifiers on the same images: what one mended and broke, and whether that is more than chance (McNemar 1947).

use super::Predictions;

/// Below this many images on which exactly one is right, the exact test is taken.
const FEW: u64 = 25;
/// Below this probability a difference counts as more than chance.
const SIGNIFICANT: f64 = 0.05;

/// Which form of the test was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum McNemarForm {
    /// The exact binomial test, for fewer than 25 discordant images.
    Exact,
    /// Chi-square with Edwards' continuity correction.
    ChiSquare,
}

/// McNemar's test.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct McNemar {
    /// Images that only the first classifier has right.
    pub only_first: u64,
    /// Images that only the second classifier has right.
    pub only_second: u64,
    /// Which form was taken.
    pub form: McNemarForm,
    /// The number that is tested: the smaller of the two counts, or chi-square.
    pub statistic: f64,
    /// Two-sided probability of a difference at least as large if both were equally good.
    pub p_value: f64,
}

/// McNemar's test on counts of images that exactly one classifier has right.
#[must_use]
pub fn mcnemar(only_first: u64, only_second: u64) -> McNemar {
    let n = only_first + only_second;
    let (form, statistic, p_value) = if n < FEW {
        let least = only_first.min(only_second);
        // C(n, i) / 2^n for n below 25 is exact in 64 bits
        let mut ways = 1.0;
        let mut sum = 0.0;
        for i in 0..=least {
            sum += ways;
            ways = ways * (n - i) as f64 / (i + 1) as f64;
        }
        (McNemarForm::Exact, least as f64, (2.0 * sum / 2_f64.powi(n as i32)).min(1.0))
    } else {
        let distance = (only_first.abs_diff(only_second) as f64 - 1.0).max(0.0);
        let chi_square = distance * distance / n as f64;
        (McNemarForm::ChiSquare, chi_square, libm::erfc((chi_square / 2.0).sqrt()))
    };
    McNemar { only_first, only_second, form, statistic, p_value }
}

impl McNemar {
    /// Whether the difference is more than chance at 5 %.
    #[must_use]
    pub fn is_significant(&self) -> bool {
        self.p_value < SIGNIFICANT
    }

    /// What it means, with the classifiers' names.
    #[must_use]
    pub fn sentence(&self, first: &str, second: &str) -> String {
        let n = self.only_first + self.only_second;
        let form = match self.form {
            McNemarForm::Exact => "exact binomial test".to_owned(),
            McNemarForm::ChiSquare => format!("chi-square with continuity correction, {:.2}", self.statistic),
        };
        let p = if self.p_value < 0.001 { "p < 0.001".to_owned() } else { format!("p = {:.3}", self.p_value) };
        let meaning = match self.only_first.cmp(&self.only_second) {
            _ if n == 0 => return format!("{first} and {second} are right and wrong on the same images, so there is nothing to test."),
            _ if !self.is_significant() => format!(
                "a difference like this is to be expected by chance: neither is shown to be better than the other ({n} images decide)"
            ),
            std::cmp::Ordering::Less => format!("{second} is better, and that is hardly chance"),
            std::cmp::Ordering::Greater => format!("{first} is better, and that is hardly chance"),
            std::cmp::Ordering::Equal => "the two are equally good".to_owned(),
        };
        format!(
            "Only {first} is right on {}, only {second} on {}; McNemar's {form}, {p}: {meaning}.",
            images(self.only_first),
            images(self.only_second)
        )
    }
}

fn images(n: u64) -> String {
    if n == 1 { "1 image".into() } else { format!("{n} images") }
}

/// Two classifiers on the same images.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// Images of the list that the first has wrong and the second right, the most confident mistake first.
    pub fixed: Vec<usize>,
    /// Images of the list that the first has right and the second wrong, the most confident mistake first.
    pub broken: Vec<usize>,
    /// Images of the list that both have wrong.
    pub both_wrong: Vec<usize>,
    /// For each image of the list, what the first called it.
    pub before: Vec<u32>,
    /// Row by row: counts of the second minus counts of the first.
    pub difference: Vec<i64>,
    /// Whether it is more than chance.
    pub test: McNemar,
}

impl Comparison {
    /// The images of the list of this true class that `second` (the one that was compared) calls `predicted` and the first did not, and
    /// those with which it is the other way round; the surest first. Their numbers differ by the cell of the difference.
    #[must_use]
    pub fn moved(&self, second: &Predictions, truth: usize, predicted: usize) -> (Vec<usize>, Vec<usize>) {
        let called = |class: u32| class as usize == predicted;
        let of_class = (0..second.len()).filter(|&i| second.truth()[i] as usize == truth);
        let mut images: Vec<usize> = of_class.filter(|&i| called(second.predicted()[i]) != called(self.before[i])).collect();
        images.sort_by(|&a, &b| second.confidence(b).total_cmp(&second.confidence(a)));
        images.into_iter().partition(|&i| called(second.predicted()[i]))
    }
}

/// Compares `second` with `first`; `None` if they are not about the same images (other labels, another number of classes).
#[must_use]
pub fn compare(first: &Predictions, second: &Predictions) -> Option<Comparison> {
    if first.classes() != second.classes() || first.truth() != second.truth() {
        return None;
    }
    let images = || 0..first.len();
    let mut fixed: Vec<usize> = images().filter(|&i| !first.is_right(i) && second.is_right(i)).collect();
    let mut broken: Vec<usize> = images().filter(|&i| first.is_right(i) && !second.is_right(i)).collect();
    let mut both_wrong: Vec<usize> = images().filter(|&i| !first.is_right(i) && !second.is_right(i)).collect();
    fixed.sort_by(|&a, &b| first.confidence(b).total_cmp(&first.confidence(a)));
    for list in [&mut broken, &mut both_wrong] {
        list.sort_by(|&a, &b| second.confidence(b).total_cmp(&second.confidence(a)));
    }
    let (old, new) = (first.confusion(), second.confusion());
    let difference = old.counts().iter().zip(new.counts()).map(|(&a, &b)| b.cast_signed() - a.cast_signed()).collect();
    let test = mcnemar(broken.len() as u64, fixed.len() as u64);
    Some(Comparison { fixed, broken, both_wrong, before: first.predicted().to_vec(), difference, test })
}

//! The records that host and device share, as bytes: `records.cuh` says what each field means.

/// Numbers of one [`tiles`] entry.
pub const TILE: u64 = 8192;
/// Bytes of a parameter's record.
pub const PARAMETER_BYTES: usize = 64;
/// Bytes of a tile's record.
pub const TILE_BYTES: usize = 16;
/// Bytes of a [`Control`].
pub const CONTROL_BYTES: usize = 128;
/// Bytes of a [`Tally`].
pub const TALLY_BYTES: usize = 64;

/// One parameter of the network, by the addresses of its parts on the device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parameter {
    /// The f32 weights.
    pub weight: u64,
    /// Their copy in the storage type; 0 for none.
    pub copy: u64,
    /// The gradient, f32.
    pub gradient: u64,
    /// Mean gradient, or momentum of SGD.
    pub first: u64,
    /// Mean squared gradient; 0 for SGD.
    pub second: u64,
    /// Numbers in it.
    pub length: u64,
    /// Whether weight decay applies.
    pub decayed: bool,
}

impl Parameter {
    /// The device's record.
    #[must_use]
    pub fn to_bytes(self) -> [u8; PARAMETER_BYTES] {
        let flags = halves(u32::from(self.decayed), 0);
        words([self.weight, self.copy, self.gradient, self.first, self.second, self.length, flags, 0])
    }
}

/// The tiles of parameters of these lengths, as records one behind the other: one block of a launch each.
#[must_use]
pub fn tiles(lengths: &[u64]) -> Vec<u8> {
    let of = |(number, length): (usize, &u64)| (0..length.div_ceil(TILE)).map(move |tile| (number as u32, tile * TILE));
    lengths.iter().enumerate().flat_map(of).flat_map(|(number, start)| words::<2, TILE_BYTES>([halves(number, 0), start])).collect()
}

/// What made a run fail on the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The loss was not finite.
    Loss,
    /// A gradient was not finite.
    Gradient,
}

/// Where a run stands, as the device keeps it. The rest of its record is scratch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Control {
    /// Steps done in the whole run, skipped ones too; after a failure those before it.
    pub step: u64,
    /// Updates that the optimiser made.
    pub updates: u64,
    /// The entry of the learning rates that comes next.
    pub position: u64,
    /// Steps that were skipped because a number in f16 was not finite.
    pub skipped: u64,
    /// What the gradient of the loss is multiplied with; 1 unless f16.
    pub loss_scale: f32,
    /// Steps since the loss scale was changed.
    pub calm: u32,
    /// Why nothing changes any more.
    pub failed: Option<Failure>,
}

impl Control {
    /// A run at its beginning.
    pub const START: Self = Self { step: 0, updates: 0, position: 0, skipped: 0, loss_scale: 1.0, calm: 0, failed: None };

    /// The device's record.
    #[must_use]
    pub fn to_bytes(self) -> [u8; CONTROL_BYTES] {
        let failed = match self.failed {
            None => 0,
            Some(Failure::Loss) => 1,
            Some(Failure::Gradient) => 2,
        };
        let mut record = [0; 16];
        record[..4].copy_from_slice(&[self.step, self.updates, self.position, self.skipped]);
        record[7] = halves(self.loss_scale.to_bits(), self.calm);
        record[8] = halves(failed, 0);
        words(record)
    }

    /// What the device's record says.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; CONTROL_BYTES]) -> Self {
        let record = word_list(bytes);
        let ((loss_scale, calm), (failed, _)) = (split(record[7]), split(record[8]));
        let failed = match failed {
            0 => None,
            1 => Some(Failure::Loss),
            _ => Some(Failure::Gradient),
        };
        let [step, updates, position, skipped] = [record[0], record[1], record[2], record[3]];
        Self { step, updates, position, skipped, loss_scale: f32::from_bits(loss_scale), calm, failed }
    }
}

/// Sums over the steps since the record was last zeroed. All bytes 0 is nothing yet.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tally {
    /// Sum of the losses of all images.
    pub loss: f64,
    /// Sum of the norms of all steps' gradients.
    pub gradient_norm: f64,
    /// Images that were classified right.
    pub correct: u64,
    /// Images.
    pub images: u64,
    /// Steps.
    pub steps: u64,
    /// Mean loss of the last step.
    pub last_loss: f64,
    /// Norm of its gradient.
    pub last_norm: f64,
}

impl Tally {
    /// What the device's record says.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; TALLY_BYTES]) -> Self {
        let record = word_list(bytes);
        Self {
            loss: f64::from_bits(record[0]),
            gradient_norm: f64::from_bits(record[1]),
            correct: record[2],
            images: record[3],
            steps: record[4],
            last_loss: f64::from_bits(record[5]),
            last_norm: f64::from_bits(record[6]),
        }
    }
}

/// Two fields of 32 bits that lie one behind the other.
fn halves(first: u32, second: u32) -> u64 {
    let ([a, b, c, d], [e, f, g, h]) = (first.to_ne_bytes(), second.to_ne_bytes());
    u64::from_ne_bytes([a, b, c, d, e, f, g, h])
}

/// The two fields again.
fn split(word: u64) -> (u32, u32) {
    let [a, b, c, d, e, f, g, h] = word.to_ne_bytes();
    (u32::from_ne_bytes([a, b, c, d]), u32::from_ne_bytes([e, f, g, h]))
}

fn words<const WORDS: usize, const BYTES: usize>(record: [u64; WORDS]) -> [u8; BYTES] {
    let mut bytes = [0; BYTES];
    for (to, word) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(record) {
        *to = word.to_ne_bytes();
    }
    bytes
}

fn word_list(bytes: &[u8]) -> Vec<u64> {
    bytes.as_chunks::<8>().0.iter().map(|word| u64::from_ne_bytes(*word)).collect()
}

//! The energy that a device takes, as the driver's management library (NVML) counts it: from Volta on.

use std::ffi::OsStr;

use cudarc::driver::CudaContext;
use nvml_wrapper::Nvml;

/// The counter of one device.
pub struct EnergyCounter {
    library: Nvml,
    uuid: String,
}

impl EnergyCounter {
    /// The counter of the device of `context`; `None` where there is no NVML, or it does not know the device.
    pub fn of(context: &CudaContext) -> Option<Self> {
        // a driver without its development files has no name without a number
        let library = Nvml::builder().lib_path(OsStr::new("libnvidia-ml.so.1")).init().or_else(|_| Nvml::init()).ok()?;
        let bytes = context.uuid().ok()?.bytes.map(|byte| byte as u8);
        let counter = Self { library, uuid: name(bytes) };
        counter.joules().map(|_| counter)
    }

    /// Joules since the driver was loaded.
    pub fn joules(&self) -> Option<f64> {
        let device = self.library.device_by_uuid(self.uuid.as_str()).ok()?;
        device.total_energy_consumption().ok().map(|millijoules| millijoules as f64 * 1e-3)
    }
}

/// A device's identity as NVML writes it: "GPU-", then 8, 4, 4, 4 and 12 hexadecimal digits.
fn name(bytes: [u8; 16]) -> String {
    let digits = format!("{:032x}", u128::from_be_bytes(bytes));
    format!("GPU-{}-{}-{}-{}-{}", &digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..])
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_device_is_named_as_nvml_does() {
        let bytes = std::array::from_fn(|at| at as u8 * 17);
        assert_eq!(super::name(bytes), "GPU-00112233-4455-6677-8899-aabbccddeeff");
    }
}

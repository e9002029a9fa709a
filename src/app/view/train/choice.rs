//! The choices of the form: each value with its name and what it means.

use egui::{ComboBox, Response, Ui};

use crate::augment::{Border, Preset, Rotation};
use crate::imaging::Fit;
use crate::nn::Architecture;
use crate::train::{BestBy, DeviceChoice, LossKind, OptimizerKind, Precision, ScheduleKind};

/// A value out of a few.
pub trait Choice: Copy + PartialEq + 'static {
    /// Each value, its name, and what it means.
    const ALL: &'static [(Self, &'static str, &'static str)];

    /// The name of this value.
    fn name(self) -> &'static str {
        Self::ALL.iter().find(|(value, ..)| *value == self).map_or("", |(_, name, _)| name)
    }

    /// The name of a value that is not in the list.
    fn unlisted(self) -> String {
        String::new()
    }
}

/// Shows the choice as a drop-down list.
pub fn show<T: Choice>(ui: &mut Ui, salt: &str, value: &mut T) -> Response {
    let width = ui.available_width() - 26.0;
    let shown = Some(value.name()).filter(|name| !name.is_empty()).map_or_else(|| value.unlisted(), str::to_owned);
    let combo = ComboBox::from_id_salt(salt).width(width.clamp(60.0, 150.0)).selected_text(shown);
    combo
        .show_ui(ui, |ui| {
            for &(choice, name, meaning) in T::ALL {
                ui.selectable_value(value, choice, name).on_hover_text(meaning);
            }
        })
        .response
}

impl Choice for Architecture {
    const ALL: &'static [(Self, &'static str, &'static str)] = &[
        (
            Self::Compact,
            "Compact",
            "Five blocks with batch norm and global average pooling: learns fast, and class activation maps are exact.",
        ),
        (Self::Seed, "Seed", "The original six blocks and three linear layers: 14.8 million numbers, slow to train."),
    ];
}

impl Choice for LossKind {
    const ALL: &'static [(Self, &'static str, &'static str)] = &[
        (Self::Focal, "Balanced focal", "Rare classes and hard images count more."),
        (Self::CrossEntropy, "Cross-entropy", "Every image counts the same."),
    ];
}

impl Choice for OptimizerKind {
    const ALL: &'static [(Self, &'static str, &'static str)] = &[
        (Self::Adamw, "AdamW", "Adapts the step of each weight; a good first choice."),
        (Self::Radam, "RAdam", "Adam with a careful start; needs no warm-up."),
        (Self::Sgd, "SGD", "Plain steps with momentum; needs a larger learning rate and patience."),
    ];
}

impl Choice for ScheduleKind {
    const ALL: &'static [(Self, &'static str, &'static str)] = &[
        (Self::OneCycle, "One cycle", "Up to the learning rate, then down to almost nothing."),
        (Self::Cosine, "Cosine", "From the learning rate smoothly down to zero."),
        (Self::Plateau, "On plateau", "A tenth of it whenever the validation loss stops falling."),
        (Self::Constant, "Constant", "The learning rate as it is."),
    ];
}

impl Choice for BestBy {
    const ALL: &'static [(Self, &'static str, &'static str)] = &[
        (Self::MacroF1, "Macro-F1", "Highest mean F1 over the classes on the validation images."),
        (Self::Loss, "Loss", "Lowest validation loss."),
    ];
}

impl Choice for Fit {
    const ALL: &'static [(Self, &'static str, &'static str)] = &[
        (Self::Stretch, "Stretched", "The whole image, its sides made equal."),
        (Self::Crop, "Central square", "The largest square around the centre; what lies beyond is not seen."),
        (Self::Pad, "Padded", "The whole image, with black beside it."),
    ];
}

impl Choice for DeviceChoice {
    const ALL: &'static [(Self, &'static str, &'static str)] = &[
        (Self::Auto, "Automatic", "The first NVIDIA graphics card that can be used, else the processor."),
        (Self::Cpu, "CPU", "The processor."),
        (Self::Cuda(0), "CUDA", "The first NVIDIA graphics card; needs a build with the feature cuda."),
        (Self::Cuda(1), "CUDA 1", "The second NVIDIA graphics card."),
        (Self::Cuda(2), "CUDA 2", "The third NVIDIA graphics card."),
        (Self::Cuda(3), "CUDA 3", "The fourth NVIDIA graphics card."),
    ];

    fn unlisted(self) -> String {
        self.to_string()
    }
}

impl Choice for Precision {
    const ALL: &'static [(Self, &'static str, &'static str)] = &[
        (Self::Auto, "Automatic", "CPU: the fastest that keeps the accuracy of 32 bits. CUDA: TF32, or 32 bit before Ampere."),
        (Self::F32, "32 bit", "32-bit floating point throughout."),
        (Self::Bf16, "bfloat16", "Products in 16 bits, sums and weights in 32."),
        (Self::Tf32, "TF32", "CUDA only: products rounded to 19 bits, everything else in 32."),
        (Self::F16, "float16", "CUDA only, for cards without bfloat16: as that, with a scaled loss."),
    ];
}

impl Choice for Rotation {
    const ALL: &'static [(Self, &'static str, &'static str)] = &[
        (Self::Quarter, "Quarter turns", "By 0, 90, 180 or 270 degrees: exact."),
        (Self::Any, "Any angle", "By any angle; pixels are interpolated."),
        (Self::None, "None", "Images stay as they are."),
    ];
}

impl Choice for Border {
    const ALL: &'static [(Self, &'static str, &'static str)] = &[
        (Self::Reflect, "Reflected", "The picture mirrored at its edges: sky goes on as sky."),
        (Self::Black, "Black", "Nothing, as torchvision has it."),
    ];
}

impl Choice for Preset {
    const ALL: &'static [(Self, &'static str, &'static str)] = &[
        (Self::None, "None", "The images as they are."),
        (Self::Turns, "Turns", "Mirrored and turned by quarters, which loses nothing."),
        (Self::Gentle, "Gentle", "Any angle, and a little of what telescope and sky do."),
        (Self::Strong, "Strong", "The same, more of it, and rectangles blackened."),
        (Self::Seed, "Seed", "The original project's: crop, strong colours, blur, 270 degrees, black corners."),
    ];
}

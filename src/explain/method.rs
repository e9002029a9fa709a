//! The ways of mapping where a network looked, by name. The formulas are in [`formula`](super::formula).

use std::fmt;
use std::str::FromStr;

use crate::nn::models::MapLayer;

/// A way of making a map from activations (and gradients).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Method {
    /// Class activation map (Zhou et al. 2016, arXiv 1512.04150): exact where an average and a linear layer make the logits.
    #[default]
    Cam,
    /// Grad-CAM (Selvaraju et al. 2017, arXiv 1610.02391).
    GradCam,
    /// `HiResCAM` (Draelos & Carin 2020, arXiv 2011.08891).
    HiResCam,
    /// Grad-CAM++ (Chattopadhyay et al. 2018, arXiv 1710.11063).
    GradCamPlusPlus,
    /// `LayerCAM` (Jiang et al. 2021, IEEE TIP 30).
    LayerCam,
    /// XGrad-CAM (Fu et al. 2020, arXiv 2008.02312).
    XGradCam,
    /// Eigen-CAM (Muhammad & Yeasin 2020, arXiv 2008.00299); does not depend on the class.
    EigenCam,
    /// Score-CAM (Wang et al. 2020, arXiv 1910.01279).
    ScoreCam,
    /// Finer-CAM (Zhang et al. 2025, arXiv 2501.11309): Grad-CAM of one class against another.
    FinerCam,
}

impl Method {
    /// All of them, the exact one first.
    pub const ALL: [Self; 9] = [
        Self::Cam,
        Self::GradCam,
        Self::HiResCam,
        Self::GradCamPlusPlus,
        Self::LayerCam,
        Self::XGradCam,
        Self::EigenCam,
        Self::ScoreCam,
        Self::FinerCam,
    ];

    /// The name it was published under.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Cam => "CAM",
            Self::GradCam => "Grad-CAM",
            Self::HiResCam => "HiResCAM",
            Self::GradCamPlusPlus => "Grad-CAM++",
            Self::LayerCam => "LayerCAM",
            Self::XGradCam => "XGrad-CAM",
            Self::EigenCam => "Eigen-CAM",
            Self::ScoreCam => "Score-CAM",
            Self::FinerCam => "Finer-CAM",
        }
    }

    /// Its name on the command line.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::Cam => "cam",
            Self::GradCam => "grad-cam",
            Self::HiResCam => "hires-cam",
            Self::GradCamPlusPlus => "grad-cam++",
            Self::LayerCam => "layer-cam",
            Self::XGradCam => "xgrad-cam",
            Self::EigenCam => "eigen-cam",
            Self::ScoreCam => "score-cam",
            Self::FinerCam => "finer-cam",
        }
    }

    /// What it shows, in one sentence.
    #[must_use]
    pub fn about(self) -> &'static str {
        match self {
            Self::Cam => "What each cell adds to the logit. Exact: the mean of the map and the bias are the logit.",
            Self::GradCam => "Activations weighted by the mean gradient of the logit.",
            Self::HiResCam => "Activations times the gradient of the logit, cell by cell.",
            Self::GradCamPlusPlus => "Grad-CAM with weights that count several galaxies in one picture alike.",
            Self::LayerCam => "Activations times the positive gradient, cell by cell; finer at early layers.",
            Self::XGradCam => "Grad-CAM with weights that follow the activations.",
            Self::EigenCam => "The first principal component of the activations. It does not depend on the class.",
            Self::ScoreCam => "Each activation map as a mask on the picture, weighted by the logit it leaves. Slow; no gradient.",
            Self::FinerCam => "Grad-CAM of the difference to another class: why this one and not that one.",
        }
    }

    /// Whether the map depends on the class.
    #[must_use]
    pub fn knows_classes(self) -> bool {
        self != Self::EigenCam
    }

    /// Whether it takes the gradient of the logit.
    #[must_use]
    pub fn takes_gradient(self) -> bool {
        !matches!(self, Self::Cam | Self::EigenCam | Self::ScoreCam)
    }

    /// Why it cannot be used at `layer`, in words for the user; `None` if it can.
    #[must_use]
    pub fn refuses(self, layer: &MapLayer) -> Option<String> {
        (self == Self::Cam && !layer.averaged).then(|| {
            format!(
                "CAM needs a layer from which an average and one linear layer make the logits; {} is none. Use HiResCAM there.",
                layer.name
            )
        })
    }

    /// The place among `layers` where it is best used: for CAM the averaged one, for the others the last rectifier, before it
    /// is pooled. `None` if there is no place for it.
    #[must_use]
    pub fn best_layer(self, layers: &[MapLayer]) -> Option<&MapLayer> {
        layers.iter().rev().find(|layer| if self == Self::Cam { layer.averaged } else { layer.rectified })
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Method {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = || Self::ALL.map(Self::id).join(", ");
        Self::ALL.into_iter().find(|m| m.id() == text).ok_or_else(|| format!("there is no method {text}; there are {}", known()))
    }
}

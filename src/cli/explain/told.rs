//! What `explain` prints: the legend and what was measured, as text or as one JSON object.

use serde_json::json;

use super::Arguments;
use crate::cli::output;
use crate::explain::{Explanation, Faithfulness, Measured, PERCENT, Sanity, Scene, Style};
use crate::imaging::Source;

/// Everything there is to tell.
pub(super) struct Told<'a> {
    pub arguments: &'a Arguments,
    pub source: &'a Source,
    pub scene: &'a Scene<'a>,
    pub explanation: &'a Explanation,
    pub style: &'a Style,
    pub trust: Option<&'a Faithfulness>,
    pub checked: Option<&'a Sanity>,
}

impl Told<'_> {
    pub fn json(&self) -> serde_json::Value {
        let (arguments, explanation, explainer) = (self.arguments, self.explanation, self.scene.explainer);
        let (low, high) = explanation.map.range();
        let classes = &explainer.classifier().spec().classes;
        json!({
            "path": self.source.path().display().to_string(), "class": classes[explanation.class],
            "against": explanation.against.map(|c| &classes[c]), "score": explanation.score,
            "probability": explainer.probabilities()[explanation.class], "method": explanation.method.id(),
            "layer": explanation.layer.name, "grid": [explanation.map.width, explanation.map.height],
            "lowest": low, "highest": high, "positive_evidence": explanation.has_positive(), "out": arguments.out.display().to_string(),
            "faithfulness": self.trust.map(trust_json), "sanity": self.checked.map(sanity_json),
        })
    }

    pub fn text(&self) -> anyhow::Result<()> {
        for line in self.scene.legend(self.explanation, self.style) {
            output::line(line)?;
        }
        if let Some(trust) = self.trust {
            output::line(format!("Faithfulness: {}", trust.summary()))?;
        }
        if let Some(checked) = self.checked {
            output::line(format!("Model check: {}", checked.summary()))?;
            for stage in &checked.stages {
                let numbers = format!("rank correlation {:.3}, structural similarity {:.3}", stage.spearman, stage.ssim);
                output::line(format!("  random from the last layer to {}: {numbers}", stage.layer))?;
            }
        }
        output::note(format!("written: {}", self.arguments.out.display()));
        Ok(())
    }
}

/// What was measured, with all curves.
fn trust_json(trust: &Faithfulness) -> serde_json::Value {
    let one = |measured: &Measured| {
        let (road, curves) = (&measured.road, &measured.curves);
        json!({
            "road": road.score(), "deletion": curves.deleted(), "insertion": curves.inserted(),
            "road_most_relevant_first": road.most, "road_least_relevant_first": road.least,
            "deletion_curve": curves.deletion, "insertion_curve": curves.insertion,
        })
    };
    json!({
        "map": one(&trust.map), "random": one(&trust.random), "sobel": one(&trust.sobel),
        "road_percent": PERCENT, "verdict": trust.verdict(),
    })
}

/// The check of the model, stage by stage.
fn sanity_json(checked: &Sanity) -> serde_json::Value {
    let stages: Vec<_> =
        checked.stages.iter().map(|stage| json!({"layer": stage.layer, "spearman": stage.spearman, "ssim": stage.ssim})).collect();
    json!({"method": checked.method.id(), "pictures": checked.pictures, "passes": checked.passes(), "stages": stages})
}

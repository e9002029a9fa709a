//! What can be asked about the picture: which part of it, how FITS numbers are shown, which map, how it is drawn, where it is saved.

use egui::{ComboBox, DragValue, Slider, Ui};

use crate::app::action::Action;
use crate::app::inspect::{Export, InspectAction, Question};
use crate::app::state::State;
use crate::app::theme;
use crate::app::trust::{Check, Trust};
use crate::app::widget;
use crate::explain::{Explainer, Method, Scale};
use crate::imaging::{BANDS, ColourMap, Curve, Fit, Frame, Interval, Rendering, Stretch};

/// The shares of the evidence that contours go around.
const CONTOURS: [f64; 2] = [0.5, 0.8];
/// The percentages that are offered for the interval of FITS numbers.
const PERCENTAGES: [f64; 5] = [90.0, 95.0, 99.0, 99.5, 99.9];

/// Shows the controls; they change `question`.
pub fn show(ui: &mut Ui, state: &State, question: &mut Question, actions: &mut Vec<Action>) {
    let Some(explainer) = &state.inspect.explainer else { return };
    ui.horizontal_wrapped(|ui| part(ui, state, question));
    if state.inspect.bands.is_some() {
        ui.horizontal_wrapped(|ui| rendering(ui, state, question));
    }
    ui.horizontal_wrapped(|ui| {
        ui.checkbox(&mut question.map, "Map").on_hover_text("Where the model looked");
        if question.map {
            what(ui, explainer, question);
        }
    });
    if question.map {
        ui.horizontal_wrapped(|ui| how(ui, question));
        ui.horizontal_wrapped(|ui| believe(ui, state, actions));
    }
}

/// Where the map is saved, and how large.
pub fn saving(ui: &mut Ui, state: &State, question: &mut Question, actions: &mut Vec<Action>) {
    let ready = !state.inspect.saving;
    let what = "Writes the figure with its legend among the exports of the model's run, without asking";
    let button = ui.add_enabled(ready, egui::Button::new("Export"));
    if button.on_hover_text(what).on_disabled_hover_text("It is being written.").clicked() {
        actions.push(Action::Inspect(InspectAction::Export));
    }
    ui.menu_button("Save map…", |ui| {
        for export in Export::ALL {
            if ui.button(export.title()).clicked() {
                actions.push(Action::Inspect(InspectAction::Save(export)));
                ui.close();
            }
        }
    });
    let label = ui.label(theme::muted(ui, "at"));
    let size = ui.add(DragValue::new(&mut question.style.zoom).range(1..=4).suffix(" x"));
    widget::name(ui, &size, egui::Role::SpinButton, "Size of saved drawings");
    size.labelled_by(label.id).on_hover_text("Size of saved drawings");
}

/// What tells how far the map can be believed. Without a run that needs the processor it is measured unasked.
fn believe(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let (measuring, checking) = (state.inspect.trust == Trust::Measuring, state.inspect.check == Check::Checking);
    let button = ui.add_enabled(!measuring, egui::Button::new("How faithful?"));
    let what = "Takes away, and shows, first the pixels that the map points at (ROAD, deletion, insertion), beside a random map and one of \
                edges: does the probability follow? Measured by itself unless a run is going on.";
    if button.on_hover_text(what).on_disabled_hover_text("It is being measured.").clicked() {
        actions.push(Action::Inspect(InspectAction::Measure));
    }
    let button = ui.add_enabled(!checking, egui::Button::new("Check model"));
    let what =
        "Replaces the weights by random ones, from the last layer to the first: do the maps change? Checked once for a model and method.";
    if button.on_hover_text(what).on_disabled_hover_text("It is being checked.").clicked() {
        actions.push(Action::Inspect(InspectAction::Check));
    }
    if state.inspect.saving || state.inspect.drawing || measuring || checking {
        ui.add(egui::Spinner::new().size(14.0));
    }
}

/// A choice from a list.
fn choose<T: PartialEq + Clone>(ui: &mut Ui, label: &str, width: f32, value: &mut T, choices: &[(T, String)]) -> egui::Response {
    let current = choices.iter().find(|(choice, _)| choice == value).map_or("", |(_, title)| title.as_str());
    let combo = ComboBox::from_id_salt(label).width(width).truncate().selected_text(current).show_ui(ui, |ui| {
        for (choice, title) in choices {
            ui.selectable_value(value, choice.clone(), title);
        }
    });
    widget::name(ui, &combo.response, egui::Role::ComboBox, label);
    combo.response.on_hover_text(label.to_owned())
}

/// Which part of the picture the network sees, and whether it sees it from all sides.
fn part(ui: &mut Ui, state: &State, question: &mut Question) {
    let trained = state.model.classifier.as_ref().map(|classifier| classifier.fit());
    let fits: Vec<(Fit, String)> = [(Fit::Stretch, "Whole, stretched"), (Fit::Crop, "Central square"), (Fit::Pad, "Whole, padded")]
        .map(|(fit, title)| (fit, if trained == Some(fit) { format!("{title} (as trained)") } else { title.to_owned() }))
        .into();
    ui.add_enabled_ui(question.marked.is_none(), |ui| choose(ui, "Part of the picture", 120.0, &mut question.fit, &fits));
    let mut boxed = question.marked.is_some();
    if ui.checkbox(&mut boxed, "Crop box").on_hover_text("Classify only a square that you drag on the picture").changed() {
        let image = state.subject.as_ref().and_then(|subject| subject.picture.as_ref()).map(|picture| &picture.image);
        question.marked = image.filter(|_| boxed).map(|image| {
            let side = (image.width().min(image.height()) * 2 / 3).max(1);
            let start = |length: usize| (length - side) as i64 / 2;
            Frame { x: start(image.width()), y: start(image.height()), width: side, height: side }
        });
    }
    if let Some(frame) = &mut question.marked {
        for (label, value) in [("Left", &mut frame.x), ("Top", &mut frame.y)] {
            let field = ui.add(DragValue::new(value).range(-20_000..=20_000).update_while_editing(false).prefix(format!("{label} ")));
            widget::name(ui, &field, egui::Role::SpinButton, &format!("{label} of the crop box"));
        }
        let field = ui.add(DragValue::new(&mut frame.width).range(1..=20_000).update_while_editing(false).prefix("Side "));
        widget::name(ui, &field, egui::Role::SpinButton, "Side of the crop box");
        frame.height = frame.width;
    }
    average(ui, &mut question.average);
}

/// Whether pictures are seen from all sides.
pub fn average(ui: &mut Ui, average: &mut bool) {
    ui.checkbox(average, "Average 8 turns").on_hover_text("Answer and map are the mean over the eight flips and turns of a picture");
}

/// How FITS numbers become a picture.
fn rendering(ui: &mut Ui, state: &State, question: &mut Question) {
    let rendering = &mut question.rendering;
    let Some(bands) = &state.inspect.bands else { return };
    let colour = bands.planes.len() == 3;
    if colour {
        let planes: Vec<(usize, String)> = (0..3).map(|plane| (plane, bands.name(plane))).collect();
        for (band, name) in BANDS.into_iter().enumerate() {
            let mut plane = rendering.order[band];
            ui.label(theme::muted(ui, name));
            choose(ui, &format!("Plane for {name}"), 70.0, &mut plane, &planes);
            rendering.assign(band, plane);
        }
        ui.checkbox(&mut rendering.legacy, "Legacy Survey colours").on_hover_text("g, r and z in nanomaggies, as in Galaxy10");
    }
    ui.add_enabled_ui(!(colour && rendering.legacy), |ui| stretch(ui, &mut rendering.stretch));
}

/// How the numbers of one band become grey levels.
fn stretch(ui: &mut Ui, stretch: &mut Stretch) {
    let curves: Vec<(Curve, String)> = Curve::ALL.map(|curve| (curve, curve.name().to_owned())).into();
    choose(ui, "Stretch", 70.0, &mut stretch.curve, &curves);
    let named = [(Interval::MinMax, "lowest to highest".to_owned()), (Interval::ZScale, "zscale".to_owned())];
    let percentages = PERCENTAGES.map(|percent| (Interval::Percentile(percent), format!("{percent} %")));
    let intervals: Vec<(Interval, String)> = named.into_iter().chain(percentages).collect();
    choose(ui, "Interval", 110.0, &mut stretch.interval, &intervals);
}

/// How the FITS files of a table become pictures: of three bands, and of one.
pub fn rendering_of_many(ui: &mut Ui, rendering: &mut Rendering) {
    ui.label(theme::muted(ui, "FITS"));
    ui.checkbox(&mut rendering.legacy, "Legacy Survey colours").on_hover_text("For three bands: g, r and z in nanomaggies, as in Galaxy10");
    stretch(ui, &mut rendering.stretch);
}

/// Which map: method, layer, classes.
fn what(ui: &mut Ui, explainer: &Explainer, question: &mut Question) {
    let layers = explainer.layers();
    let best = explainer.best_method();
    let current = question.method.unwrap_or(best);
    let combo = ComboBox::from_id_salt("Map method").width(100.0).selected_text(current.name()).show_ui(ui, |ui| {
        for method in Method::ALL {
            let fits = method.best_layer(layers).is_some();
            let button = ui.add_enabled(fits, egui::Button::selectable(current == method, method.name()));
            let why = "This network has no layer for it: no average and single linear layer make its logits.";
            if button.on_hover_text(method.about()).on_disabled_hover_text(why).clicked() {
                question.method = Some(method);
                question.layer = None;
                ui.close();
            }
        }
    });
    widget::name(ui, &combo.response, egui::Role::ComboBox, "Map method");
    combo.response.on_hover_text(current.about());
    let title = |layer: &crate::nn::models::MapLayer| format!("{}, {} x {}", layer.name, layer.width, layer.height);
    let fitting = layers.iter().rev().filter(|layer| current.refuses(layer).is_none());
    let best_layer = current.best_layer(layers).map_or_else(String::new, |layer| format!("best layer ({})", layer.name));
    let choices: Vec<(Option<String>, String)> =
        std::iter::once((None, best_layer)).chain(fitting.map(|layer| (Some(layer.name.clone()), title(layer)))).collect();
    choose(ui, "Map layer", 130.0, &mut question.layer, &choices);
    if !current.knows_classes() {
        ui.label(theme::muted(ui, "the same for every class"));
        return;
    }
    let names = &explainer.classifier().spec().classes;
    let all = || names.iter().enumerate().map(|(number, name)| (Some(number), name.clone()));
    let classes: Vec<(Option<usize>, String)> = std::iter::once((None, "most probable class".to_owned())).chain(all()).collect();
    choose(ui, "Map class", 140.0, &mut question.class, &classes);
    let chosen = question.class.unwrap_or_else(|| explainer.ranking()[0]);
    let nothing = if current == Method::FinerCam { "not the next one" } else { "against none" };
    let others = all().filter(|(number, _)| *number != Some(chosen)).map(|(number, name)| (number, format!("and not {name}")));
    let against: Vec<(Option<usize>, String)> = std::iter::once((None, nothing.to_owned())).chain(others).collect();
    if question.against == Some(chosen) {
        question.against = None;
    }
    choose(ui, "Compared with", 140.0, &mut question.against, &against);
}

/// How the map is drawn.
fn how(ui: &mut Ui, question: &mut Question) {
    ui.checkbox(&mut question.signed, "Signed").on_hover_text("Show evidence against the class too");
    let style = &mut question.style;
    ui.label(theme::muted(ui, "Opacity"));
    let opacity = ui.add(Slider::new(&mut style.opacity, 0.0..=1.0).show_value(false));
    widget::name(ui, &opacity, egui::Role::Slider, "Opacity");
    opacity.on_hover_text("How much of the map covers the picture");
    if !question.signed {
        let maps = [ColourMap::Viridis, ColourMap::Inferno, ColourMap::Cividis, ColourMap::Grey];
        let maps: Vec<(ColourMap, String)> = maps.map(|map| (map, map.name().to_owned())).into();
        choose(ui, "Colour map", 76.0, &mut style.colours, &maps);
    }
    let scales =
        [(Scale::Auto, "own scale, sheets a common one"), (Scale::Own, "own scale"), (Scale::Common, "same scale for all classes")]
            .map(|(scale, title)| (scale, title.to_owned()));
    choose(ui, "Scale of the colours", 120.0, &mut style.scale, &scales);
    let mut lines = !style.contours.is_empty();
    if ui.checkbox(&mut lines, "Contours").on_hover_text("Lines around the cells that hold these shares of the evidence").changed() {
        style.contours = if lines { CONTOURS.to_vec() } else { Vec::new() };
    }
    for (number, share) in style.contours.iter_mut().enumerate() {
        let mut percent = (*share * 100.0).round();
        let field = ui.add(DragValue::new(&mut percent).range(1.0..=99.0).max_decimals(0).speed(0.3).suffix(" %"));
        widget::name(ui, &field, egui::Role::SpinButton, &format!("Share of contour {}", number + 1));
        if field.changed() {
            *share = percent / 100.0;
        }
    }
    ui.checkbox(&mut style.regions, "Regions")
        .on_hover_text("Lines around the galaxy (white) and other sources (orange), between which the map's mass is shared");
    ui.checkbox(&mut style.cells, "Raw cells").on_hover_text("The cells of the layer as they are, not smoothed");
}

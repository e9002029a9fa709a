//! Room for what needs some height: where there is less, it is scrolled.

use egui::{ScrollArea, Ui, vec2};

/// Shows `add` in all the space there is, or, where that is lower than `height` points, in a space of that height that is scrolled.
pub fn at_least<R>(ui: &mut Ui, height: f32, add: impl FnOnce(&mut Ui) -> R) -> R {
    if ui.available_height() >= height {
        return add(ui);
    }
    let scrolled = ScrollArea::vertical().id_salt("at least").auto_shrink(false).show(ui, |ui| {
        let size = vec2(ui.available_width(), height);
        ui.allocate_ui(size, |ui| {
            ui.set_min_size(size);
            add(ui)
        })
        .inner
    });
    scrolled.inner
}

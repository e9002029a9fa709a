//! The button that opens studies in a database, which machines share.

use egui::{Key, TextEdit, Ui};
use serde::{Deserialize, Serialize};

use crate::app::action::Action;
use crate::app::searched::{Change, Searched};
use crate::app::{theme, widget};
use crate::search::Address;

/// How wide the field is.
const WIDTH: f32 = 380.0;

/// The address as it is typed. Between two starts it is kept without its password.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub(super) struct AddressField {
    text: String,
}

impl From<String> for AddressField {
    fn from(text: String) -> Self {
        Self { text }
    }
}

impl From<AddressField> for String {
    fn from(field: AddressField) -> Self {
        // what is no address may still hold a password
        Address::parse(&field.text).map(|address| address.to_string()).unwrap_or_default()
    }
}

impl AddressField {
    /// Shows the button, with the field and the open addresses behind it.
    pub fn show(&mut self, ui: &mut Ui, search: &Searched, actions: &mut Vec<Action>) {
        let button = ui.menu_button("Open address…", |ui| {
            ui.set_min_width(WIDTH);
            ui.label("Studies in a database, which workers on many machines share:");
            let field = TextEdit::singleline(&mut self.text).hint_text("postgresql://user@host/database").desired_width(WIDTH);
            let response = ui.add(field);
            widget::name(ui, &response, egui::Role::TextInput, "Address");
            let entered = response.lost_focus() && ui.input(|i| i.key_pressed(Key::Enter));
            ui.label(theme::muted(
                ui,
                "A password comes from PGPASSWORD or ~/.pgpass; one in the address is not kept. ?study=NAME shows one study.",
            ));
            let ready = Address::is_meant(&self.text);
            if ui.add_enabled(ready, egui::Button::new("Open")).clicked() || (entered && ready) {
                actions.push(Action::Search(Change::OpenAddress(self.text.trim().to_owned())));
                ui.close();
            }
            for storage in search.opened.storages() {
                ui.separator();
                ui.horizontal(|ui| {
                    ui.label(storage.to_string());
                    if ui.button("Close").on_hover_text("Show its studies no more; nothing is deleted").clicked() {
                        actions.push(Action::Search(Change::CloseAddress(storage.clone())));
                        ui.close();
                    }
                });
            }
        });
        button.response.on_hover_text("Show studies in a PostgreSQL database as they grow, and work on them");
    }
}

//! The movable panels: which there are, where they stand at first, how their tabs look.

use egui_tiles::{Behavior, SimplificationOptions, TabState, TileId, Tiles, Tree, UiResponse};
use serde::{Deserialize, Serialize};

use super::theme::{self, Palette};

/// A panel of the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Pane {
    /// The form of a run, its controls and its progress.
    Train,
    /// Loss, accuracy and learning rate over the epochs.
    Curves,
    /// The confusion matrix.
    Confusion,
    /// The pictures of the data set.
    Explore,
    /// One picture and what the model says of it.
    Classify,
    /// What augmentation makes of a galaxy, and what the model makes of that.
    Augment,
    /// All runs: their values, curves, notes.
    Experiments,
    /// Searches of hyper-parameters: what to try, what came out.
    Search,
}

impl Pane {
    /// All panels, in the order of their shortcuts (Ctrl+1 is the first).
    pub const ALL: [Self; 8] =
        [Self::Train, Self::Curves, Self::Confusion, Self::Explore, Self::Classify, Self::Augment, Self::Experiments, Self::Search];

    /// Its title.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Train => "Train",
            Self::Curves => "Curves",
            Self::Confusion => "Confusion",
            Self::Explore => "Explore",
            Self::Classify => "Classify",
            Self::Augment => "Augment",
            Self::Experiments => "Experiments",
            Self::Search => "Search",
        }
    }
}

/// The layout of a first start: the form at the left; curves and confusion matrix above the pictures and the verdict.
#[must_use]
pub fn default_layout() -> Tree<Pane> {
    let mut tiles = Tiles::default();
    let mut tabs = |panes: &[Pane]| {
        let panes: Vec<TileId> = panes.iter().map(|pane| tiles.insert_pane(*pane)).collect();
        tiles.insert_tab_tile(panes)
    };
    let [train, confusion] = [Pane::Train, Pane::Confusion].map(|pane| tabs(&[pane]));
    let curves = tabs(&[Pane::Curves, Pane::Experiments, Pane::Search]);
    let [explore, classify] = [tabs(&[Pane::Explore, Pane::Augment]), tabs(&[Pane::Classify])];
    let above = split(&mut tiles, egui_tiles::LinearDir::Horizontal, [curves, confusion], 0.5);
    let below = split(&mut tiles, egui_tiles::LinearDir::Horizontal, [explore, classify], 0.6);
    let right = split(&mut tiles, egui_tiles::LinearDir::Vertical, [above, below], 0.54);
    let root = split(&mut tiles, egui_tiles::LinearDir::Horizontal, [train, right], 0.265);
    Tree::new(egui::Id::unique("panels"), root, tiles)
}

/// A layout with all panels: those that an older program did not know come as tabs beside the pictures, or, if even these are missing,
/// everything is as at first.
#[must_use]
pub fn complete(mut layout: Tree<Pane>) -> Tree<Pane> {
    let home = layout.tiles.find_pane(&Pane::Explore).and_then(|pane| layout.tiles.parent_of(pane));
    for pane in Pane::ALL {
        if layout.tiles.find_pane(&pane).is_none() {
            let tile = layout.tiles.insert_pane(pane);
            match home.and_then(|home| layout.tiles.get_mut(home)) {
                Some(egui_tiles::Tile::Container(egui_tiles::Container::Tabs(tabs))) => tabs.children.push(tile),
                _ => return default_layout(),
            }
        }
    }
    layout
}

fn split(tiles: &mut Tiles<Pane>, direction: egui_tiles::LinearDir, children: [TileId; 2], share: f32) -> TileId {
    tiles.insert_container(egui_tiles::Linear::new_binary(direction, children, share))
}

/// Shows panels by `show`, and tells by `fill` which one asked to fill the window.
pub struct Panels<'a> {
    /// Shows one panel.
    pub show: &'a mut dyn FnMut(&mut egui::Ui, Pane),
    /// The panel that asked to fill the window in this frame.
    pub fill: Option<Pane>,
    /// The colours.
    pub palette: Palette,
}

impl Behavior<Pane> for Panels<'_> {
    fn pane_ui(&mut self, ui: &mut egui::Ui, _tile: TileId, pane: &mut Pane) -> UiResponse {
        theme::panel_frame(&self.palette).show(ui, |ui| {
            ui.set_min_size(ui.available_size());
            (self.show)(ui, *pane);
        });
        UiResponse::None
    }

    fn tab_title_for_pane(&mut self, pane: &Pane) -> egui::WidgetText {
        pane.title().into()
    }

    fn on_tab_button(&mut self, _tiles: &mut Tiles<Pane>, _tile: TileId, button: egui::Response) -> egui::Response {
        theme::focus_ring(&button);
        button
    }

    fn top_bar_right_ui(&mut self, tiles: &Tiles<Pane>, ui: &mut egui::Ui, _tile: TileId, tabs: &egui_tiles::Tabs, _scroll: &mut f32) {
        let Some(pane) = tabs.active.and_then(|tile| tiles.get_pane(&tile)) else { return };
        ui.add_space(theme::GAP);
        if theme::icon_button(ui, "⛶", &format!("Enlarge {}", pane.title())).on_hover_text("Fill the window (Escape goes back)").clicked()
        {
            self.fill = Some(*pane);
        }
    }

    fn simplification_options(&self) -> SimplificationOptions {
        SimplificationOptions { all_panes_must_have_tabs: true, ..Default::default() }
    }

    fn tab_bar_height(&self, _style: &egui::Style) -> f32 {
        theme::TAB_HEIGHT
    }

    fn gap_width(&self, _style: &egui::Style) -> f32 {
        theme::PANEL_GAP
    }

    fn min_size(&self) -> f32 {
        120.0
    }

    fn tab_bar_color(&self, _visuals: &egui::Visuals) -> egui::Color32 {
        self.palette.panel_head
    }

    fn tab_bg_color(&self, _visuals: &egui::Visuals, _tiles: &Tiles<Pane>, _tile: TileId, state: &TabState) -> egui::Color32 {
        if state.active { self.palette.panel } else { egui::Color32::TRANSPARENT }
    }

    fn tab_outline_stroke(&self, _visuals: &egui::Visuals, _tiles: &Tiles<Pane>, _tile: TileId, _state: &TabState) -> egui::Stroke {
        egui::Stroke::NONE
    }

    fn tab_bar_hline_stroke(&self, _visuals: &egui::Visuals) -> egui::Stroke {
        egui::Stroke::NONE
    }

    fn tab_text_color(&self, _visuals: &egui::Visuals, _tiles: &Tiles<Pane>, _tile: TileId, state: &TabState) -> egui::Color32 {
        if state.active { self.palette.text } else { self.palette.muted }
    }

    fn resize_stroke(&self, style: &egui::Style, state: egui_tiles::ResizeState) -> egui::Stroke {
        match state {
            egui_tiles::ResizeState::Idle => egui::Stroke::new(self.gap_width(style), self.palette.background),
            _ => egui::Stroke::new(2.0, self.palette.accent),
        }
    }
}

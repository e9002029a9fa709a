//! Every colour and size of the window, for dark and light. The panels name none of their own.
//!
//! The two lines of a plot (training and validation) are blue and orange, which every kind of colour vision tells apart;
//! the heat map is viridis, which is even in lightness and reads the same without colour.

mod series;

pub use series::{Look, look, mark};

use egui::{Color32, CornerRadius, FontFamily, FontId, Frame, Margin, Stroke, TextStyle, Theme, Visuals, vec2};

/// Space between things that belong together.
pub const GAP: f32 = 6.0;
/// Space between things that do not.
pub const SECTION_GAP: f32 = 12.0;
/// Space between panels.
pub const PANEL_GAP: f32 = 6.0;
/// Height of a row of tabs.
pub const TAB_HEIGHT: f32 = 28.0;
/// Side of a thumbnail on the screen.
pub const THUMBNAIL: f32 = 72.0;
/// The smallest and largest side of a thumbnail on the screen.
pub const THUMBNAIL_RANGE: std::ops::RangeInclusive<f32> = 40.0..=192.0;
/// Largest side of a thumbnail's texture, pixels.
pub const THUMBNAIL_TEXTURE: usize = 128;
/// Space between thumbnails.
pub const THUMBNAIL_GAP: f32 = 5.0;
/// Height of a bar in a bar chart.
pub const BAR: f32 = 16.0;
/// Width of the colour bar beside a heat map.
pub const COLOUR_BAR: f32 = 12.0;
/// Width of a number's field.
pub const NUMBER_WIDTH: f32 = 84.0;
/// Rounded corners of buttons and fields.
pub const ROUND: u8 = 5;
/// Width of a plotted line.
pub const LINE: f32 = 1.8;
/// The choices of text size, 1 is normal.
pub const SCALES: [f32; 6] = [0.8, 0.9, 1.0, 1.15, 1.3, 1.5];

/// The colours of one theme.
#[derive(Clone, Copy, Debug)]
pub struct Palette {
    /// Behind the panels.
    pub background: Color32,
    /// A panel.
    pub panel: Color32,
    /// The row of tabs above a panel.
    pub panel_head: Color32,
    /// Fields and buttons.
    pub field: Color32,
    /// Boxes to tick and the rails of sliders: 3 to 1 against the panel, so that an empty box is seen.
    pub control: Color32,
    /// Fields and buttons under the pointer.
    pub field_hover: Color32,
    /// Thin lines.
    pub line: Color32,
    /// Text.
    pub text: Color32,
    /// Text of less weight.
    pub muted: Color32,
    /// What matters most: the main button, the selection, the focus.
    pub accent: Color32,
    /// The main button's fill; `on_accent` reads well on it.
    pub accent_fill: Color32,
    /// Text on `accent_fill`.
    pub on_accent: Color32,
    /// Something went well.
    pub good: Color32,
    /// Something to look at.
    pub warn: Color32,
    /// Something failed.
    pub bad: Color32,
    /// Behind a message about a failure.
    pub bad_fill: Color32,
    /// The training part.
    pub train: Color32,
    /// The validation part.
    pub valid: Color32,
    /// The test part.
    pub test: Color32,
    /// Over what is not meant just now.
    pub shade: Color32,
    /// Red, green and blue light.
    pub bands: [Color32; 3],
    /// Things of many kinds in one plot (near Okabe & Ito 2008, moved until every kind of colour vision tells them apart); see [`look`].
    pub series: [Color32; series::COLOURS],
}

const fn rgb(hex: u32) -> Color32 {
    Color32::from_rgb((hex >> 16) as u8, (hex >> 8) as u8, hex as u8)
}

const DARK: Palette = Palette {
    background: rgb(0x0b_0e14),
    panel: rgb(0x15_1a23),
    panel_head: rgb(0x10_141c),
    field: rgb(0x23_2b38),
    control: rgb(0x5c_6a82),
    field_hover: rgb(0x2f_3949),
    line: rgb(0x2b_3443),
    text: rgb(0xe1_e7f0),
    muted: rgb(0x96_a3b8),
    accent: rgb(0x6e_a8fe),
    accent_fill: rgb(0x2f_66d0),
    on_accent: rgb(0xff_ffff),
    good: rgb(0x5f_cf93),
    warn: rgb(0xe6_b450),
    bad: rgb(0xff_8078),
    bad_fill: rgb(0x3a_1d20),
    train: rgb(0x5a_a9ff),
    valid: rgb(0xff_b04a),
    test: rgb(0x8f_9bb0),
    shade: Color32::from_black_alpha(150),
    bands: [rgb(0xff_6b6b), rgb(0x5f_cf7a), rgb(0x6e_a8fe)],
    series: [rgb(0x51_cbfe), rgb(0xf8_bf24), rgb(0x00_a777), rgb(0xc4_65d0), rgb(0xff_5806), rgb(0xf3_f3f9)],
};

const LIGHT: Palette = Palette {
    background: rgb(0xd9_dfe8),
    panel: rgb(0xfc_fdfe),
    panel_head: rgb(0xeb_eff5),
    field: rgb(0xea_eef4),
    control: rgb(0x87_92a3),
    field_hover: rgb(0xdc_e4ef),
    line: rgb(0xcf_d7e2),
    text: rgb(0x1a_2230),
    muted: rgb(0x53_6075),
    accent: rgb(0x1f_56c4),
    accent_fill: rgb(0x25_5cc8),
    on_accent: rgb(0xff_ffff),
    good: rgb(0x18_7a48),
    warn: rgb(0x8a_5a00),
    bad: rgb(0xb4_231a),
    bad_fill: rgb(0xfb_e5e2),
    train: rgb(0x1b_6bd0),
    valid: rgb(0xc2_5e00),
    test: rgb(0x6f_7c90),
    shade: Color32::from_black_alpha(110),
    bands: [rgb(0xc8_2f2f), rgb(0x1c_8a3e), rgb(0x1f_56c4)],
    series: [rgb(0x09_5ad5), rgb(0xc4_8400), rgb(0x03_a18f), rgb(0x8c_328c), rgb(0xca_0000), rgb(0x1b_2435)],
};

/// The colours that `visuals` shows.
#[must_use]
pub fn palette(visuals: &Visuals) -> Palette {
    if visuals.dark_mode { DARK } else { LIGHT }
}

/// Gives the window its looks, in both themes.
pub fn apply(context: &egui::Context) {
    for theme in [Theme::Dark, Theme::Light] {
        context.set_visuals_of(theme, visuals(theme));
    }
    context.all_styles_mut(|style| {
        let sizes = [
            (TextStyle::Small, 11.0),
            (TextStyle::Body, 13.0),
            (TextStyle::Button, 13.0),
            (TextStyle::Heading, 17.0),
            (TextStyle::Monospace, 12.0),
        ];
        for (name, size) in sizes {
            let family = if name == TextStyle::Monospace { FontFamily::Monospace } else { FontFamily::Proportional };
            style.text_styles.insert(name, FontId::new(size, family));
        }
        style.drag_value_text_style = TextStyle::Body;
        let spacing = &mut style.spacing;
        spacing.item_spacing = vec2(GAP, GAP);
        spacing.button_padding = vec2(8.0, 3.0);
        spacing.interact_size = vec2(34.0, 22.0);
        spacing.window_margin = Margin::same(14);
        spacing.tooltip_width = 340.0;
        spacing.scroll = egui::style::ScrollStyle::solid();
        spacing.scroll.bar_width = 8.0;
        style.interaction.selectable_labels = false;
        style.interaction.tooltip_delay = 0.35;
    });
}

fn visuals(theme: Theme) -> Visuals {
    let (mut v, p) = match theme {
        Theme::Dark => (Visuals::dark(), DARK),
        Theme::Light => (Visuals::light(), LIGHT),
    };
    v.panel_fill = p.panel;
    v.window_fill = p.panel;
    v.window_stroke = Stroke::new(1.0, p.line);
    v.window_corner_radius = CornerRadius::same(10);
    v.menu_corner_radius = CornerRadius::same(ROUND);
    v.extreme_bg_color = p.panel_head;
    v.text_edit_bg_color = Some(p.field);
    v.faint_bg_color = p.panel_head;
    v.weak_text_color = Some(p.muted);
    v.hyperlink_color = p.accent;
    v.warn_fg_color = p.warn;
    v.error_fg_color = p.bad;
    v.selection.bg_fill = p.accent_fill.gamma_multiply(if v.dark_mode { 0.75 } else { 0.28 });
    v.selection.stroke = Stroke::new(1.0, if v.dark_mode { p.on_accent } else { p.accent });
    let w = &mut v.widgets;
    let state = |w: &mut egui::style::WidgetVisuals, fill: Color32, stroke: Stroke, text: Color32| {
        w.bg_fill = fill;
        w.weak_bg_fill = fill;
        w.bg_stroke = stroke;
        w.fg_stroke = Stroke::new(1.0, text);
        w.corner_radius = CornerRadius::same(ROUND);
        w.expansion = 0.0;
    };
    state(&mut w.noninteractive, p.panel, Stroke::new(1.0, p.line), p.text);
    state(&mut w.inactive, p.field, Stroke::NONE, p.text);
    state(&mut w.hovered, p.field_hover, Stroke::new(1.0, p.muted), p.text);
    state(&mut w.active, p.field_hover, Stroke::new(1.5, p.accent), p.text);
    state(&mut w.open, p.field_hover, Stroke::new(1.0, p.accent), p.text);
    for control in [&mut w.inactive, &mut w.hovered, &mut w.active] {
        control.bg_fill = p.control;
    }
    v
}

/// The inside of a panel.
pub fn panel_frame(palette: &Palette) -> Frame {
    Frame::new().fill(palette.panel).inner_margin(Margin::same(10))
}

/// A message about a failure.
pub fn failure_frame(palette: &Palette) -> Frame {
    Frame::new()
        .fill(palette.bad_fill)
        .stroke(Stroke::new(1.0, palette.bad))
        .corner_radius(CornerRadius::same(ROUND))
        .inner_margin(Margin::symmetric(10, 8))
}

/// A sheet above everything else.
pub fn sheet_frame(palette: &Palette) -> Frame {
    Frame::new()
        .fill(palette.panel)
        .stroke(Stroke::new(1.0, palette.line))
        .corner_radius(CornerRadius::same(10))
        .inner_margin(Margin::same(18))
}

/// A small raised box, as for a badge or a notice.
pub fn badge_frame(palette: &Palette) -> Frame {
    Frame::new().fill(palette.field).corner_radius(CornerRadius::same(ROUND)).inner_margin(Margin::symmetric(8, 3))
}

/// The one button of a panel that matters most.
pub fn main_button(ui: &mut egui::Ui, text: &str, enabled: bool) -> egui::Response {
    let p = palette(ui.visuals());
    let button = if enabled {
        egui::Button::new(egui::RichText::new(text).color(p.on_accent).strong()).fill(p.accent_fill)
    } else {
        egui::Button::new(text)
    };
    ui.add_enabled(enabled, button.min_size(vec2(84.0, 28.0)))
}

/// A button that is one sign; `label` is its name for those who cannot see it.
pub fn icon_button(ui: &mut egui::Ui, sign: &str, label: &str) -> egui::Response {
    let p = palette(ui.visuals());
    let response = ui.add(egui::Button::new(egui::RichText::new(sign).color(p.muted)).frame(false));
    let enabled = ui.is_enabled();
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, enabled, label));
    focus_ring(&response);
    response
}

/// A ring around what has the keyboard and shows it in no other way.
pub fn focus_ring(response: &egui::Response) {
    if response.has_focus() {
        let stroke = egui::Stroke::new(1.5, palette(&response.ctx.global_style().visuals).accent);
        let painter = response.ctx.layer_painter(response.layer_id);
        painter.rect_stroke(response.rect.expand(1.0), 4.0, stroke, egui::StrokeKind::Outside);
    }
}

/// A coloured dot, as before a name in a legend.
pub fn dot(ui: &mut egui::Ui, colour: Color32) {
    let (rect, _) = ui.allocate_exact_size(vec2(9.0, 9.0), egui::Sense::hover());
    ui.painter().circle_filled(rect.center(), 4.5, colour);
}

/// Text of less weight.
#[must_use]
pub fn muted(ui: &egui::Ui, text: impl Into<String>) -> egui::RichText {
    egui::RichText::new(text).color(palette(ui.visuals()).muted)
}

/// What an empty panel says: a heading and what to do to fill it.
pub fn empty(ui: &mut egui::Ui, heading: &str, advice: &str) {
    ui.vertical_centered(|ui| {
        ui.add_space((ui.available_height() * 0.5 - 34.0).max(8.0));
        ui.label(egui::RichText::new(heading).size(15.0));
        ui.label(muted(ui, advice));
    });
}

/// The heat map's colour of `value` in 0..=1 (values outside are clamped, NaN is 0): viridis.
#[must_use]
pub fn heat(value: f64) -> Color32 {
    let [r, g, b] = crate::review::plot::colour::viridis(value);
    Color32::from_rgb(r, g, b)
}

/// A point among many that does not count now.
#[must_use]
pub fn faded(dark: bool) -> Color32 {
    (if dark { DARK } else { LIGHT }).line
}

/// Black or white, whichever reads better on `fill` (relative luminance of WCAG 2.1).
#[must_use]
pub fn text_on(fill: Color32) -> Color32 {
    let [r, g, b] = [fill.r(), fill.g(), fill.b()].map(|c| (f32::from(c) / 255.0).powf(2.2));
    if 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.18 { Color32::BLACK } else { Color32::WHITE }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Contrast ratio of WCAG 2.1.
    fn contrast(a: Color32, b: Color32) -> f64 {
        let luminance = |c: Color32| {
            let [r, g, b] = [c.r(), c.g(), c.b()].map(|c| {
                let c = f64::from(c) / 255.0;
                if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
            });
            0.2126 * r + 0.7152 * g + 0.0722 * b
        };
        let (a, b) = (luminance(a) + 0.05, luminance(b) + 0.05);
        (a / b).max(b / a)
    }

    #[test]
    fn text_reads_well_in_both_themes() {
        for p in [DARK, LIGHT] {
            for fill in [p.panel, p.panel_head, p.field] {
                for text in [p.text, p.muted, p.accent, p.good, p.warn, p.bad] {
                    assert!(contrast(text, fill) >= 4.5, "{text:?} on {fill:?}: {:.2}", contrast(text, fill));
                }
            }
            assert!(contrast(p.on_accent, p.accent_fill) >= 4.5);
            // what belongs to a control, and the tick in a box: 3 to 1 too
            assert!(contrast(p.control, p.panel) >= 3.0 && contrast(p.text, p.control) >= 3.0, "{:?}", p.control);
            assert!(contrast(p.text, p.bad_fill) >= 4.5 && contrast(p.bad, p.bad_fill) >= 4.5);
            // lines of a plot: 3 to 1 is the rule for graphics
            for line in [p.train, p.valid].iter().chain(&p.bands).chain(&p.series) {
                assert!(contrast(*line, p.panel) >= 3.0, "{line:?}");
            }
        }
    }

    #[test]
    fn numbers_read_well_on_every_colour_of_the_heat_map() {
        let mut last = -1.0;
        for i in 0..=100 {
            let fill = heat(f64::from(i) / 100.0);
            assert!(contrast(text_on(fill), fill) >= 4.0, "{i}: {:.2}", contrast(text_on(fill), fill));
            let light = contrast(fill, Color32::BLACK);
            assert!(light >= last, "viridis grows lighter all the way");
            last = light;
        }
        assert_eq!(heat(f64::NAN), heat(0.0));
        assert_eq!(heat(7.0), heat(1.0));
    }
}

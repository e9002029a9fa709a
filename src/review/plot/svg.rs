//! A drawing as SVG text: rectangles, lines and words, nothing else. Numbers have two decimals, so that the same plot is the
//! same file.

use std::fmt::Write;

/// The colour of words and axes.
pub const INK: [u8; 3] = [0x22, 0x28, 0x33];
/// The colour of what should stay in the background.
pub const FAINT: [u8; 3] = [0xd4, 0xd9, 0xe1];

/// Where a text stands about its point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// It begins there.
    Start,
    /// Its middle is there.
    Middle,
    /// It ends there.
    End,
}

/// A drawing of fixed size, pixels, on white.
#[derive(Clone, Debug)]
pub struct Svg {
    size: (f64, f64),
    body: String,
}

fn hex([r, g, b]: [u8; 3]) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}

/// Text as XML and HTML have it.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            // control characters are not allowed in XML
            c if c.is_control() => safe.push(' '),
            c => safe.push(c),
        }
    }
    safe
}

impl Svg {
    /// An empty drawing.
    #[must_use]
    pub fn new(width: f64, height: f64) -> Self {
        Self { size: (width, height), body: String::new() }
    }

    /// Adds an element; writing to a string cannot fail.
    fn add(&mut self, element: std::fmt::Arguments<'_>) {
        let _ = self.body.write_fmt(element);
        self.body.push('\n');
    }

    /// A filled rectangle.
    pub fn rect(&mut self, (x, y): (f64, f64), (w, h): (f64, f64), fill: [u8; 3]) {
        let fill = hex(fill);
        self.add(format_args!(r#"<rect x="{x:.2}" y="{y:.2}" width="{:.2}" height="{:.2}" fill="{fill}"/>"#, w.max(0.0), h.max(0.0)));
    }

    /// A straight line.
    pub fn line(&mut self, (x1, y1): (f64, f64), (x2, y2): (f64, f64), colour: [u8; 3], width: f64) {
        let colour = hex(colour);
        self.add(format_args!(r#"<line x1="{x1:.2}" y1="{y1:.2}" x2="{x2:.2}" y2="{y2:.2}" stroke="{colour}" stroke-width="{width}"/>"#));
    }

    /// A line through points; `dash` as SVG has it, or empty.
    pub fn polyline(&mut self, points: &[(f64, f64)], colour: [u8; 3], width: f64, dash: &str) {
        let colour = hex(colour);
        let mut list = String::new();
        for (x, y) in points {
            let _ = write!(list, "{x:.2},{y:.2} ");
        }
        let dash = if dash.is_empty() { String::new() } else { format!(r#" stroke-dasharray="{dash}""#) };
        self.add(format_args!(
            r#"<polyline points="{}" fill="none" stroke="{colour}" stroke-width="{width}" stroke-linejoin="round"{dash}/>"#,
            list.trim_end()
        ));
    }

    /// A filled circle.
    pub fn dot(&mut self, (x, y): (f64, f64), radius: f64, fill: [u8; 3]) {
        let fill = hex(fill);
        self.add(format_args!(r#"<circle cx="{x:.2}" cy="{y:.2}" r="{radius}" fill="{fill}"/>"#));
    }

    /// A circle that is not filled.
    pub fn ring(&mut self, (x, y): (f64, f64), radius: f64, colour: [u8; 3]) {
        let (colour, width) = (hex(colour), 0.5 * radius);
        let radius = 0.75 * radius;
        self.add(format_args!(r#"<circle cx="{x:.2}" cy="{y:.2}" r="{radius}" fill="none" stroke="{colour}" stroke-width="{width}"/>"#));
    }

    /// Words; `at` is on their base line.
    pub fn text(&mut self, at: (f64, f64), size: f64, anchor: Anchor, colour: [u8; 3], text: &str) {
        self.turned(at, 0.0, size, anchor, colour, text);
    }

    /// Words turned about their point, degrees clockwise.
    pub fn turned(&mut self, (x, y): (f64, f64), degrees: f64, size: f64, anchor: Anchor, colour: [u8; 3], text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let turn = if degrees == 0.0 { String::new() } else { format!(r#" transform="rotate({degrees} {x:.2} {y:.2})""#) };
        let (colour, text) = (hex(colour), escape(text));
        self.add(format_args!(
            r#"<text x="{x:.2}" y="{y:.2}" font-size="{size}" text-anchor="{anchor}" fill="{colour}"{turn}>{text}</text>"#
        ));
    }

    /// The whole drawing. `summary` says what it shows, for those who cannot see it.
    #[must_use]
    pub fn finish(self, summary: &str) -> String {
        let (w, h) = self.size;
        let summary = escape(summary);
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{w:.0}\" height=\"{h:.0}\" viewBox=\"0 0 {w:.0} {h:.0}\" \
             font-family=\"sans-serif\" role=\"img\" aria-label=\"{summary}\">\n<title>{summary}</title>\n\
             <rect width=\"{w:.0}\" height=\"{h:.0}\" fill=\"#ffffff\"/>\n{}</svg>\n",
            self.body
        )
    }
}

/// About how wide a text is, pixels; SVG cannot be asked.
#[must_use]
pub fn width(text: &str, size: f64) -> f64 {
    text.chars().count() as f64 * size * 0.55
}

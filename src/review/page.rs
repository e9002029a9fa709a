//! A page of HTML that needs nothing else: no script, no network, style and pictures inside.

use std::fmt::Write;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Table;
use super::plot::escape;

const STYLE: &str = "\
:root { color-scheme: light; --ink: #1a2230; --muted: #53607a; --line: #d9dfe8; --soft: #f4f6fa; --accent: #1f56c4; }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 32px 24px 80px; max-width: 1080px; color: var(--ink); background: #ffffff;
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 26px; margin: 0 0 4px; } h2 { font-size: 19px; margin: 40px 0 8px; padding-top: 12px; border-top: 1px solid var(--line); }
p { margin: 6px 0 12px; max-width: 75ch; } .muted { color: var(--muted); }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 10px; margin: 20px 0; }
.facts div { background: var(--soft); border-radius: 8px; padding: 10px 14px; }
.facts b { display: block; font-size: 21px; font-weight: 600; } .facts span { color: var(--muted); font-size: 13px; }
.wide { overflow-x: auto; } table { border-collapse: collapse; margin: 8px 0; font-size: 13px; font-variant-numeric: tabular-nums; }
th, td { padding: 4px 10px; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }
th { color: var(--muted); font-weight: 600; } th:first-child, td:first-child { text-align: left; }
svg { max-width: 100%; height: auto; } .plots { display: flex; flex-wrap: wrap; gap: 16px; align-items: flex-start; }
.galaxies { display: grid; grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); gap: 14px; }
figure { margin: 0; font-size: 12px; color: var(--muted); } figure img { width: 100%; display: block; border-radius: 6px; image-rendering: auto; }
figure b { color: var(--ink); font-weight: 600; }
";

/// A page that is being written.
pub(super) struct Page {
    html: String,
}

impl Page {
    /// The beginning of a page.
    pub fn new(title: &str, subtitle: &str) -> Self {
        let (title, subtitle) = (escape(title), escape(subtitle));
        let html = format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n\
             <style>\n{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n<p class=\"muted\">{subtitle}</p>\n"
        );
        Self { html }
    }

    /// Writing to a string cannot fail.
    fn add(&mut self, part: std::fmt::Arguments<'_>) {
        let _ = self.html.write_fmt(part);
        self.html.push('\n');
    }

    pub fn heading(&mut self, text: &str) {
        self.add(format_args!("<h2>{}</h2>", escape(text)));
    }

    pub fn paragraph(&mut self, text: &str) {
        self.add(format_args!("<p>{}</p>", escape(text)));
    }

    /// Numbers that matter most: (number, what it is).
    pub fn facts(&mut self, facts: &[(String, String)]) {
        self.add(format_args!("<div class=\"facts\">"));
        for (number, what) in facts {
            self.add(format_args!("<div><b>{}</b><span>{}</span></div>", escape(number), escape(what)));
        }
        self.add(format_args!("</div>"));
    }

    /// Drawings beside each other.
    pub fn plots(&mut self, plots: &[String]) {
        self.add(format_args!("<div class=\"plots\">"));
        for plot in plots {
            self.add(format_args!("{plot}"));
        }
        self.add(format_args!("</div>"));
    }

    pub fn table(&mut self, table: &Table) {
        self.add(format_args!("<div class=\"wide\"><table>\n<thead><tr>"));
        for name in &table.header {
            self.add(format_args!("<th scope=\"col\">{}</th>", escape(name)));
        }
        self.add(format_args!("</tr></thead>\n<tbody>"));
        for row in &table.rows {
            self.html.push_str("<tr>");
            for cell in row {
                let _ = write!(self.html, "<td>{}</td>", escape(cell));
            }
            self.html.push_str("</tr>\n");
        }
        self.add(format_args!("</tbody></table></div>"));
    }

    /// Pictures (PNG files in memory; `None` where one cannot be read) with two lines of words each.
    pub fn galaxies(&mut self, pictures: &[(Option<Vec<u8>>, String, String)]) {
        self.add(format_args!("<div class=\"galaxies\">"));
        for (png, first, second) in pictures {
            let (first, second) = (escape(first), escape(second));
            let picture = png
                .as_ref()
                .map_or_else(String::new, |png| format!("<img alt=\"{first}\" src=\"data:image/png;base64,{}\">", STANDARD.encode(png)));
            self.add(format_args!("<figure>{picture}<figcaption><b>{first}</b><br>{second}</figcaption></figure>"));
        }
        self.add(format_args!("</div>"));
    }

    pub fn finish(mut self) -> String {
        self.html.push_str("</body>\n</html>\n");
        self.html
    }
}

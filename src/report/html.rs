//! Pieces of HTML: escaping, the score table, tables of names and values, lists.

use std::fmt::Write as _;

use super::{Role, ScoreTable};

/// Text as HTML, in content and in quoted attributes. Control characters, which HTML forbids, become spaces.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if c.is_control() && c != '\n' => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// The methods against the measures, and what each measure says.
pub(super) fn score(t: &ScoreTable) -> String {
    let mut out =
        String::from("<div class=\"wide\"><table class=\"score\">\n<thead><tr><th scope=\"col\">method</th>");
    for c in &t.columns {
        let _ = write!(
            out,
            "<th scope=\"col\" class=\"value\" title=\"{}\">{}</th>",
            escape(&c.explanation),
            escape(&c.header)
        );
    }
    out.push_str("</tr></thead>\n");
    for g in &t.groups {
        out.push_str("<tbody>\n");
        if !g.name.is_empty() {
            let _ = writeln!(
                out,
                "<tr class=\"group\"><th scope=\"rowgroup\" colspan=\"{}\">{}</th></tr>",
                t.columns.len() + 1,
                escape(&g.name)
            );
        }
        for row in &g.rows {
            let (class, badge) = if row.chosen {
                (" class=\"chosen\"", " <span class=\"badge\">used</span>")
            } else {
                ("", "")
            };
            let _ = write!(out, "<tr{class}><th scope=\"row\">{}{badge}</th>", escape(&row.method));
            for i in 0..t.columns.len() {
                match row.values.get(i).filter(|v| !v.text.is_empty()) {
                    Some(v) if v.best => {
                        let _ = write!(out, "<td class=\"best\">{}</td>", escape(&v.text));
                    }
                    Some(v) => {
                        let _ = write!(out, "<td>{}</td>", escape(&v.text));
                    }
                    None => out.push_str("<td class=\"none\">–</td>"),
                }
            }
            out.push_str("</tr>\n");
        }
        out.push_str("</tbody>\n");
    }
    out.push_str("</table></div>\n<p class=\"key\">Shaded: the method that made the output. <b>Bold</b>: best of its column.</p>\n");
    out.push_str("<dl class=\"columns\">\n");
    for c in t.columns.iter().filter(|c| !c.explanation.is_empty()) {
        let _ = writeln!(out, "<div><dt>{}</dt><dd>{}</dd></div>", escape(&c.header), escape(&c.explanation));
    }
    out.push_str("</dl>\n");
    out
}

/// Names and values, two columns.
pub(super) fn pairs(caption: &str, rows: &[(String, String)]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let mut out = format!("<table class=\"pairs\">\n<caption>{}</caption>\n<tbody>\n", escape(caption));
    for (name, value) in rows {
        let _ = writeln!(out, "<tr><th scope=\"row\">{}</th><td>{}</td></tr>", escape(name), escape(value));
    }
    out.push_str("</tbody></table>\n");
    out
}

/// A bulleted list; nothing for no items.
pub(super) fn list(items: &[String]) -> String {
    if items.is_empty() {
        return String::new();
    }
    let mut out = String::from("<ul>\n");
    for item in items {
        let _ = writeln!(out, "<li>{}</li>", escape(item));
    }
    out.push_str("</ul>\n");
    out
}

/// How a legend shows a group of cells.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// A dot, as in clouds.
    Dot,
    /// A line, as in densities.
    Line,
}

/// The groups of cells in a figure, with their colours.
pub(super) fn legend(roles: &[Role], mark: Mark, more: &str) -> String {
    let mut out = String::from("<div class=\"legend\">");
    for role in roles {
        let colour = role.colour();
        let drawing = match mark {
            Mark::Dot => format!("<circle cx=\"12\" cy=\"7\" r=\"5\" fill=\"{colour}\"/>"),
            Mark::Line => {
                let dashes = role.dashes().map(|d| format!(" stroke-dasharray=\"{d}\"")).unwrap_or_default();
                let area = if *role == Role::After {
                    format!(
                        "<rect x=\"0\" y=\"5\" width=\"24\" height=\"9\" class=\"area\" fill=\"{colour}\"/>"
                    )
                } else {
                    String::new()
                };
                format!("{area}<path class=\"curve\" stroke=\"{colour}\"{dashes} d=\"M0 5H24\"/>")
            }
        };
        let _ = write!(
            out,
            "<span><svg width=\"24\" height=\"14\" aria-hidden=\"true\">{drawing}</svg>{}</span>",
            role.name()
        );
    }
    out.push_str(more);
    out.push_str("</div>\n");
    out
}

/// A legend of names with colours of our own making.
pub(super) fn legend_of(names: &[(String, &str)], mark: Mark) -> String {
    let mut out = String::from("<div class=\"legend\">");
    for (name, colour) in names {
        let drawing = match mark {
            Mark::Dot => format!("<circle cx=\"12\" cy=\"7\" r=\"5\" fill=\"{colour}\"/>"),
            Mark::Line => format!("<path class=\"curve\" stroke=\"{colour}\" d=\"M0 7H24\"/>"),
        };
        let _ = write!(
            out,
            "<span><svg width=\"24\" height=\"14\" aria-hidden=\"true\">{drawing}</svg>{}</span>",
            escape(name)
        );
    }
    out.push_str("</div>\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_leaves_nothing_that_opens_a_tag_or_closes_an_attribute() {
        assert_eq!(escape("<b a=\"x\" c='y'>&\u{0}"), "&lt;b a=&quot;x&quot; c=&#39;y&#39;&gt;&amp; ");
    }
}

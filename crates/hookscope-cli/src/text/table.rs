//! Turns rows of cells into aligned columns.

use std::fmt;

use super::layout::{Page, Text};

/// Columns between two cells.
const GAP: usize = 2;

/// On which side of its column a cell stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Right,
}

/// The width of each column.
fn widths(rows: &[Vec<Text>]) -> Vec<usize> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    (0..columns)
        .map(|column| rows.iter().filter_map(|row| row.get(column)).map(Text::width).max().unwrap_or(0))
        .collect()
}

/// Columns that the rows take.
pub(super) fn width(rows: &[Vec<Text>]) -> usize {
    let widths = widths(rows);
    widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1)
}

/// The rows as lines with aligned columns.
pub(super) fn lines(aligns: &[Align], rows: &[Vec<Text>]) -> Vec<Text> {
    let widths = widths(rows);
    let line = |row: &Vec<Text>| {
        let mut line = Text::new();
        for (column, cell) in row.iter().cloned().enumerate() {
            let width = widths.get(column).copied().unwrap_or(0);
            let right = aligns.get(column) == Some(&Align::Right);
            let cell = if right { cell.padded_left(width) } else { cell.padded(width) };
            line = line.then(cell).plain(" ".repeat(GAP));
        }
        line
    };
    rows.iter().map(line).collect()
}

/// Writes the rows, each a line.
pub(super) fn write(page: &mut Page<'_>, indent: usize, aligns: &[Align], rows: &[Vec<Text>]) -> fmt::Result {
    lines(aligns, rows).iter().try_for_each(|line| page.line(indent, line))
}

/// The same rows without a column.
pub(super) fn without(rows: &[Vec<Text>], column: usize) -> Vec<Vec<Text>> {
    let keep = |row: &Vec<Text>| {
        row.iter().enumerate().filter(|(index, _)| *index != column).map(|(_, cell)| cell.clone()).collect()
    };
    rows.iter().map(keep).collect()
}

/* wrap.h -- text into lines of a terminal's width: display columns, not bytes; Thai between its words (libthai). */
#ifndef CMD_WRAP_H
#define CMD_WRAP_H

#include <stdio.h>

#define TERMINAL_COLUMNS 80

/* Columns that a text takes. */
size_t text_width(const char *);

/* Prints `text` between the columns `indent` and TERMINAL_COLUMNS; the first line begins where the cursor is (`at`). What
 * stands in `backticks` is never broken, and the backticks are left out. Ends with a line end. */
void print_wrapped(FILE *, const char *text, size_t at, size_t indent);

/* `text`, then blanks up to that width. */
void print_padded(FILE *, const char *text, size_t width);

/* `text` in that many columns: cut with "…", filled with blanks. What would move the cursor is shown as "?". */
void put_cell(FILE *, const char *text, size_t width);
void put_text(FILE *, const char *text);      /* the same, all of it */

#endif

/* fake.h -- a store of a few keys and events, and a vault that signs, for tests of the web server alone. */
#ifndef TESTS_SERVE_FAKE_H
#define TESTS_SERVE_FAKE_H

#include <stdatomic.h>

#include "serve/http_parts.h"
#include "store/events.h"
#include "store/workspaces.h"

/* Keys that there are: "mm_reader…" may read, "mm_writer…" also write, both of workspace wsp_a; "mm_foreign…" is of wsp_b. */
#define KEY_READER  "mm_readerreaderreaderreaderreaderreader"
#define KEY_WRITER  "mm_writerwriterwriterwriterwriterwriter"
#define KEY_FOREIGN "mm_foreignforeignforeignforeignforeign"
#define KEY_REVOKED "mm_revokedrevokedrevokedrevokedrevoked"

extern _Atomic int fake_reads, fake_uses;
extern _Atomic bool fake_broken, fake_writer_revoked;

void fake_event(const char *workspace, const char *type, const char *data);
void fake_forget(void);

#endif

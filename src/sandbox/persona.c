#include "sandbox/persona.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"

#define OLD_SCHEMES (SCHEME_NEGOTIATE | SCHEME_NTLM | SCHEME_BASIC)
#define NEW_SCHEMES (SCHEME_NEGOTIATE | SCHEME_NTLM)

/* Builds that were seen, or are the last of their line. */
static const struct persona personas[] = {
	{ "2007sp1", "Exchange 2007 SP1", { 8, 1, 436, 0 },      "Exchange2007_SP1", "Exchange2007_SP1", "6.0",  false, OLD_SCHEMES },
	{ "2010",    "Exchange 2010",     { 14, 0, 722, 0 },     "Exchange2010",     "Exchange2010",     "7.5",  false, OLD_SCHEMES },
	{ "2010sp1", "Exchange 2010 SP1", { 14, 1, 438, 0 },     "Exchange2010_SP1", "Exchange2010_SP1", "7.5",  false, OLD_SCHEMES },
	{ "2010sp2", "Exchange 2010 SP2", { 14, 2, 328, 9 },     "Exchange2010_SP2", "Exchange2010_SP2", "7.5",  false, OLD_SCHEMES },
	{ "2010sp3", "Exchange 2010 SP3", { 14, 3, 513, 0 },     "Exchange2010_SP2", "Exchange2010_SP2", "7.5",  false, OLD_SCHEMES },
	{ "2013",    "Exchange 2013 SP1", { 15, 0, 1497, 48 },   "V2_23",            "Exchange2013_SP1", "8.5",  true,  OLD_SCHEMES },
	{ "2016",    "Exchange 2016",     { 15, 1, 2507, 39 },   "V2017_07_11",      "V2017_07_11",      "10.0", true,  OLD_SCHEMES },
	{ "2019",    "Exchange 2019",     { 15, 2, 1544, 4 },    "V2017_07_11",      "V2017_07_11",      "10.0", true,  NEW_SCHEMES },
	{ "se",      "Exchange SE",       { 15, 2, 2562, 17 },   "V2017_07_11",      "V2017_07_11",      "10.0", true,  NEW_SCHEMES },
	{ "online",  "Exchange Online",   { 15, 20, 8699, 27 },  "V2018_01_08",      "V2017_07_11",      "10.0", false, SCHEME_BEARER },
};

/* In the order in which they came to be. */
static const char *const versions[] = {
	"Exchange2007", "Exchange2007_SP1", "Exchange2010", "Exchange2010_SP1", "Exchange2010_SP2", "Exchange2013", "Exchange2013_SP1",
	"Exchange2009", "Exchange2012", "Exchange2015", "Exchange2016", "V2015_10_05", "V2016_01_06", "V2016_04_13", "V2016_07_13", "V2016_10_10",
	"V2017_01_07", "V2017_04_14", "V2017_07_11",
};

const struct persona *persona_find(const char *name)
{
	for (size_t i = 0; i < COUNT(personas); i++)
		if (strcmp(personas[i].name, name) == 0)
			return &personas[i];
	return NULL;
}

const struct persona *persona_at(size_t n)
{
	return n < COUNT(personas) ? &personas[n] : NULL;
}

const char *persona_build(const struct persona *p, char text[40])
{
	snprintf(text, 40, "%d.%d.%d.%d", p->version[0], p->version[1], p->version[2], p->version[3]);
	return text;
}

bool persona_is_modern(const struct persona *p)
{
	return p->version[0] >= 15;
}

int request_version_rank(const char *request_version)
{
	for (size_t i = 0; i < COUNT(versions); i++)
		if (strcmp(versions[i], request_version) == 0)
			return (int)i;
	return -1;
}

bool persona_accepts(const struct persona *p, const char *request_version)
{
	int rank = request_version_rank(request_version);

	return rank >= 0 && rank <= request_version_rank(p->newest);
}

#include "input.h"

enum { DATA, COMMAND, OPTION, SUB, SUB_COMMAND };       /* where in telnet's protocol */
enum { SE = 240, SB = 250, WILL = 251, DONT = 254, IAC = 255 };

/* Returns true if the byte is text. A newline is always one, so that rubbish which looks
   like telnet's cannot swallow more than its line. */
static bool is_text(struct input *in, unsigned char byte)
{
    unsigned char was = in->telnet;

    in->telnet = DATA;
    if (byte == '\n')
        return true;
    if (was == DATA && byte == IAC)
        in->telnet = COMMAND;
    else if (was == COMMAND && byte >= WILL && byte <= DONT)
        in->telnet = OPTION;
    else if ((was == COMMAND && byte == SB) || (was == SUB_COMMAND && byte != SE))
        in->telnet = SUB;
    else if (was == SUB)
        in->telnet = byte == IAC ? SUB_COMMAND : SUB;
    return was == DATA ? byte != IAC : was == COMMAND && byte == IAC;
}

static bool ends_in_return(const struct input *in)
{
    return in->len > 0 && in->line[in->len - 1] == '\r';
}

static bool finish(struct input *in)
{
    bool skipped = in->skipping;

    if (ends_in_return(in))
        in->len--;
    in->skipping = false;
    in->complete = true;
    return !skipped;
}

bool input_take(struct input *in, const char *bytes, size_t count, size_t *at)
{
    while (*at < count) {
        char byte = bytes[(*at)++];

        if (in->complete) {
            in->complete = false;
            in->len = 0;
        }
        if (!is_text(in, (unsigned char)byte))
            continue;
        if (byte == '\n' || (byte == '\0' && ends_in_return(in))) {
            if (finish(in))
                return true;
        } else if (!in->skipping) {
            in->line[in->len++] = byte;
            in->skipping = in->len > LINE_LIMIT + (byte == '\r');
            if (in->skipping)
                return true;
        }
    }
    return false;
}

bool input_end(struct input *in)
{
    return !in->complete && in->len > 0 && finish(in);
}

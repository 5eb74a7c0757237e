"""charset_make.py - write charset_jp.c, charset_cn.c, charset_tw.c and charset_kr.c.

Run it in this folder, by hand: the tables are kept, so that a build needs nothing of its host and
a search finds the same everywhere.  They are made from Python's codecs, and charset_pair.h says
how they are indexed.
"""
UNDEFINED = "."
# What GB 18030 has moved from private use into Unicode since the edition that Python knows.
MOVED = dict(zip(
    (0xa6d9, 0xa6da, 0xa6db, 0xa6dc, 0xa6dd, 0xa6de, 0xa6df, 0xa6ec, 0xa6ed, 0xa6f3, 0xa8bc,
     0xfe59, 0xfe61, 0xfe66, 0xfe67, 0xfe6d, 0xfe7e, 0xfe90, 0xfea0),
    "\ufe10\ufe12\ufe11\ufe13\ufe14\ufe15\ufe16\ufe17\ufe18\ufe19\u1e3f"
    "\u9fb4\u9fb5\u9fb6\u9fb7\u9fb8\u9fb9\u9fba\u9fbb"))

# What HKSCS has had from 0x877a since the edition that Python knows.
LATER = ("㡵𡵓𣚞𦀡㻬𥣞㫵竼龗𤅡𨤍𣇪𠪊𣉞䌊蒄龖鐯䤰蘓墖靊鈘秐稲晠権袝瑌篅枂稬剏遆㓦珄𥶹瓆鿇垳"
         "䤯呌䄱𣚎堘穲𧭥讏䚮𦺈䆁𥶙箮𢒼鿈𢓁𢓉𢓌鿉蔄𣖻䂴鿊䓡𪷿拁灮鿋")


def char(codec, *octets):
    """The one character, or UNDEFINED; private use is no character."""
    try:
        c = bytes(octets).decode(codec)
    except UnicodeDecodeError:
        return UNDEFINED
    if len(c) != 1 or 0xe000 <= ord(c) <= 0xf8ff:
        return UNDEFINED
    return "\uff5e" if c == "~" else c


def jisx0208():
    """94 rows, and from there the six that Shift_JIS has at 0xfa40."""
    for row in list(range(94)) + list(range(114, 120)):
        lead = row // 2 + (0x81 if row < 62 else 0xc1)
        for i in range(94):
            trail = i + row % 2 * 94 + 0x40
            yield char("cp932", lead, trail + (trail >= 0x7f))


def jisx0212():
    for row in range(0xa1, 0xff):
        for i in range(0xa1, 0xff):
            yield char("euc_jp", 0x8f, row, i)


def gbk():
    for lead in range(0x81, 0xff):
        for i in range(190):
            trail = i + 0x40 + (i >= 63)
            yield MOVED.get(lead << 8 | trail) or char("gb18030", lead, trail)


def gb18030():
    """(the number of a sequence, its character) where characters stop to follow each other."""
    last = None
    for n in range(39420):
        c = ord(bytes((0x81 + n // 12600, 0x30 + n // 1260 % 10, 0x81 + n // 10 % 126,
                       0x30 + n % 10)).decode("gb18030", "replace")[0])
        if c - n != last:
            yield n, c
        last = c - n


def big5():
    """What Windows has, and what HKSCS has beside it, and in place of what few ever wrote."""
    later = dict(zip([(0x87, t) for t in list(range(0x7a, 0x7f)) + list(range(0xa1, 0xe0))], LATER))
    for lead in range(0x81, 0xff):
        for i in range(157):
            at = lead, i + (0x40 if i < 63 else 0x62)
            c = UNDEFINED if (0xc6, 0xa1) <= at < (0xc9, 0) else char("cp950", *at)
            c = char("big5hkscs", *at) if c == UNDEFINED else c
            yield later.get(at, c)


def uhc():
    for lead in range(0x81, 0xff):
        for trail in range(0x41, 0xff):
            yield char("cp949", lead, trail)


def write(name, what, tables, extra=""):
    with open(name + ".c", "w", encoding="utf-8") as f:
        f.write("/*\n * %s: %s\n * Made by charset_make.py from Python's codecs; "
                "a full stop is no character.\n */\n" % (name, what))
        f.write('#include "mime/charset_pair.h"\n\n/* clang-format off */\n')
        for declaration, prefix, chars, wide in tables:
            chars = "".join(chars)
            assert not set(chars) & set("\\\"?\n")
            f.write("const %s = {\n" % declaration)
            for i in range(0, len(chars), wide):
                f.write('\t%s"%s"\n' % (prefix, chars[i:i + wide]))
            f.write("};\n")
        f.write(extra + "/* clang-format on */\n")


if __name__ == "__main__":
    write("charset_jp", "JIS X 0208 as Windows has it, and JIS X 0212.", [
        ("uint16_t charset_jisx0208[JISX0208_CHARS + 1]", "u", jisx0208(), 47),
        ("uint16_t charset_jisx0212[JISX0212_CHARS + 1]", "u", jisx0212(), 47)])
    pairs = ["{ %5d, 0x%04x }" % p for p in gb18030()]
    lines = "".join("\t%s,\n" % ", ".join(pairs[i:i + 3]) for i in range(0, len(pairs), 3))
    write("charset_cn", "GBK, and what GB 18030 has in four bytes.", [
        ("uint16_t charset_gbk[GBK_CHARS + 1]", "u", gbk(), 64)],
        "const struct charset_range charset_gb18030[GB18030_RANGES] = {\n%s};\n" % lines)
    print("GB18030_RANGES", len(pairs))
    write("charset_tw", "Big5 with HKSCS.", [
        ("uint32_t charset_big5[BIG5_CHARS + 1]", "U", big5(), 53)])
    write("charset_kr", "KS X 1001 with the rest of Hangul.", [
        ("uint16_t charset_uhc[UHC_CHARS + 1]", "u", uhc(), 64)])

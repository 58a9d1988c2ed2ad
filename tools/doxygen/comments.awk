# A header of ours as Doxygen reads it: a comment of its own documents the declaration below it, one behind a declaration that
# declaration, and characters that Doxygen would take for commands stand for themselves. A comment with a blank line below it
# documents nothing.
function plain(text) {
  if (text ~ /^   /) return "  " text  # a sample of code
  gsub(/[\\@<>#$%&]/, "\\\\&", text)
  return text
}
function flush(mark,    i) {
  for (i = 1; i <= count; ++i) print before[i] (mark == "//" ? "//" behind[i] : mark plain(behind[i]))
  count = 0
}
/^ *\/\// {
  at = index($0, "//")
  if (trailing && at > column) {  # goes on from the line before
    print substr($0, 1, at - 1) "///<" plain(substr($0, at + 2))
    next
  }
  trailing = 0
  before[++count] = substr($0, 1, at - 1)
  behind[count] = substr($0, at + 2)
  next
}
{
  flush($0 ~ /^ *$/ ? "//" : "///")
  trailing = match($0, /[;,{}] +\/\/ /) && $0 !~ /namespace ipnscast/
  if (!trailing) { print; next }
  at = RSTART + RLENGTH - 3
  match($0, /^ */)
  column = RLENGTH + 1
  print substr($0, 1, at - 1) "///<" plain(substr($0, at + 2))
}
END { flush("//") }

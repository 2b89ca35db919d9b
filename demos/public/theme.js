// Before anything is drawn: the theme that was chosen here last. Without a choice the system's own holds.
try {
  const theme = localStorage.getItem('downhill-theme');
  if (theme === 'dark' || theme === 'light') document.documentElement.dataset.theme = theme;
} catch {
  // Storage may be forbidden; the system's theme is then as good as any.
}

// Runs before the first paint, so that a chosen theme does not flash. It is a script and no module for that reason alone.
(() => {
    try {
        const theme = localStorage.getItem('wharf-theme');
        if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
        const language = localStorage.getItem('wharf-language');
        if (language) document.documentElement.lang = language;
    } catch {
        // Storage is closed to the page: the system's theme it is.
    }
})();

vcl 4.0;
backend default none;
